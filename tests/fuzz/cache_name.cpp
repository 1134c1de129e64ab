// URLs, content types and records of attachments, of which the file cache makes names: "url\ntype\nname".

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "retriever/attachment_record.hpp"
#include "retriever/cache_key.hpp"
#include "retriever/entry_name.hpp"

using namespace sg::retriever;
using nlohmann::json;

namespace {

bool is_utf8(const std::string& text) {
    try {
        return !json(text).dump().empty();
    } catch (const json::exception&) {
        return false;
    }
}

std::string_view next_line(std::string_view& input) {
    const auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    return line;
}

void check_key(std::string_view url) {
    const auto path = url_path(url);
    SG_MUST(path.find_first_of("?#") == std::string_view::npos);
    SG_MUST(url.find(path) != std::string_view::npos);
    const auto key = cache_key(url);
    SG_MUST(key.empty() == path.empty());
    SG_MUST(key.empty() ||
            (key.size() == 32 && key.find_first_not_of("0123456789abcdef") == std::string::npos));
    SG_MUST(cache_key(std::string(url) + "?Signature=1/2;3#4") == key);
}

void check_suffix(std::string_view url, std::string_view type) {
    const auto suffix = thumbnail_suffix(url, type);
    SG_MUST(suffix.size() >= 2 && suffix.size() <= 9 && suffix.front() == '.');
    for (const char c : suffix.substr(1))
        SG_MUST((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
}

void check_name(std::string_view given) {
    const auto name = attachment_name(given);
    SG_MUST(!name.empty() && name.size() <= longest_attachment_name);
    SG_MUST(name.find_first_of("/\\<>:\"|?*") == std::string::npos);
    for (const char c : name) SG_MUST(static_cast<unsigned char>(c) >= 0x20U && c != 0x7F);
    SG_MUST(name.back() != '.' && name.back() != ' ');  // nor, so, is it `.` or `..`
    SG_MUST(attachment_name(name) == name);
    SG_MUST(is_utf8(name) || !is_utf8(std::string(given)));
}

}  // namespace

void fuzz(std::string_view input) {
    if (const auto record = json::parse(input, nullptr, false); !record.is_discarded()) {
        const auto read = read_attachment(record);
        if (!read) return SG_MUST(read.error().cause == sg::Cause::invalid && !read.error().message.empty());
        SG_MUST(read->id >= 0);
        SG_MUST(read->local || !cache_key(read->keyed_by()).empty());
        return check_name(read->name);
    }
    const auto url = next_line(input), type = next_line(input);
    check_key(url);
    check_suffix(url, type);
    check_name(input);
}
