#include "sandbox/form.hpp"

#include <algorithm>
#include <cstring>

namespace sg::sandbox {
namespace {

constexpr std::size_t window_bytes = 1U << 20U;
constexpr std::size_t largest_field = 1U << 20U;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string url_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

/// The value of `name="…"` in a header line, with what browsers escape put back.
std::string parameter(std::string_view line, std::string_view name) {
    const auto key = std::string(name) + "=\"";
    for (std::size_t at = 0; (at = line.find(key, at)) != std::string_view::npos; at += key.size()) {
        if (at > 0 && line[at - 1] != ' ' && line[at - 1] != ';') continue;  // the end of a longer name
        const auto rest = line.substr(at + key.size());
        std::string out(rest.substr(0, rest.find('"')));
        for (const auto& [escaped, plain] : {std::pair("%22", "\""), {"%0D", "\r"}, {"%0A", "\n"}})
            for (std::size_t i = 0; (i = out.find(escaped, i)) != std::string::npos; ++i)
                out.replace(i, 3, plain);
        return out;
    }
    return {};
}

/// Where `what` stands in a body at or after `from`; nullopt if it does not.
std::optional<std::uint64_t> find_in(const StoredBody& body, std::uint64_t from, std::string_view what) {
    std::string window(window_bytes, '\0');
    for (;;) {
        const auto n = body.read(from, window.data(), window.size());
        const auto* found = ::memmem(window.data(), n, what.data(), what.size());
        if (found != nullptr)
            return from + static_cast<std::uint64_t>(static_cast<const char*>(found) - window.data());
        if (n < window.size()) return std::nullopt;
        from += n - what.size() + 1;
    }
}

std::string text_of(const StoredBody& body, std::uint64_t from, std::uint64_t length) {
    std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(length, largest_field)), '\0');
    out.resize(body.read(from, out.data(), out.size()));
    return out;
}

std::optional<Form> read_multipart(const std::shared_ptr<const StoredBody>& body,
                                   const std::string& boundary) {
    Form form;
    const auto delimiter = "\r\n--" + boundary;
    auto at = find_in(*body, 0, "--" + boundary);
    if (!at || *at != 0) return std::nullopt;
    auto begin = delimiter.size() - 2;
    for (;;) {
        if (text_of(*body, begin, 2) == "--") return form;
        const auto head_end = find_in(*body, begin, "\r\n\r\n");
        if (!head_end) return std::nullopt;
        const auto head = text_of(*body, begin, *head_end - begin);
        const auto data = *head_end + 4;
        const auto end = find_in(*body, data, delimiter);
        if (!end) return std::nullopt;
        const auto name = parameter(head, "name"), file = parameter(head, "filename");
        if (file.empty()) {
            form.fields.emplace_back(name, text_of(*body, data, *end - data));
        } else {
            FormFile part{name, file, "application/octet-stream", {body, data, *end - data}};
            if (const auto type = head.find("Content-Type: "); type != std::string::npos) {
                const auto value = head.substr(type + 14);
                part.content_type = value.substr(0, value.find("\r\n"));
            }
            form.files.push_back(std::move(part));
        }
        begin = static_cast<std::size_t>(*end + delimiter.size());
    }
}

}  // namespace

std::string Form::get(std::string_view name) const {
    for (const auto& [key, value] : fields)
        if (key == name) return value;
    return {};
}
bool Form::has(std::string_view name) const {
    return std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
}

Form read_url_encoded(std::string_view text) {
    Form form;
    while (!text.empty()) {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        form.fields.emplace_back(url_decoded(pair.substr(0, equals)), url_decoded(value));
    }
    return form;
}

std::optional<Form> read_form(const HttpRequest& request) {
    const auto type = request.header("content-type");
    if (type.starts_with("application/x-www-form-urlencoded")) return read_url_encoded(request.body);
    const auto at = type.find("boundary=");
    if (!type.starts_with("multipart/form-data") || at == std::string_view::npos || !request.stored)
        return std::nullopt;
    auto boundary = std::string(type.substr(at + 9));
    boundary = boundary.substr(0, boundary.find(';'));
    if (boundary.size() > 1 && boundary.front() == '"') boundary = boundary.substr(1, boundary.size() - 2);
    return read_multipart(request.stored, boundary);
}

}  // namespace sg::sandbox
