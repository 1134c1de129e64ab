// Makes any bytes safe to stand in one line of a log.

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "logging/logging.hpp"

namespace sg::logging {
namespace {

constexpr std::size_t longest = 16 * 1024;

bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || byte >= 0x80;
    });
}

void append_control(std::string& out, unsigned char byte) {
    switch (byte) {
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += fmt::format("\\x{:02x}", byte);
    }
}

/// U+0080 to U+009F, which terminals take for commands; in UTF-8 C2 and one byte.
bool is_c1(std::string_view text, std::size_t at) {
    return text[at] == '\xc2' && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

}  // namespace

std::string one_line(std::string_view text) {
    std::string tail;
    if (text.size() > longest) {
        auto cut = longest;
        while (cut > longest - 4 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
        tail = fmt::format("… ({} bytes more)", text.size() - cut);
        text = text.substr(0, cut);
    }
    if (is_plain(text)) return std::string(text) + tail;
    const bool utf8 = simdjson::validate_utf8(text);
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8))
            append_control(out, byte);
        else if (is_c1(text, i))
            append_control(out, static_cast<unsigned char>(text[++i]));
        else
            out += text[i];
    }
    return out + tail;
}

std::string clean_lines(std::string_view text) {
    std::string out;
    while (out.size() < longest) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out += one_line(line);
        if (end == text.size()) return out;
        out += '\n';
        text.remove_prefix(end + 1);
    }
    return out + fmt::format("… ({} bytes more)", text.size());
}

}  // namespace sg::logging
