#include "retriever/entry_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "retriever/cache_key.hpp"

namespace sg::retriever {
namespace {

constexpr std::string_view nameless = "attachment";

/// What is longer is no suffix, and a name may be cut within it.
constexpr std::size_t longest_kept_suffix = 32;

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view suffix_of_url(std::string_view url) {
    auto name = url_path(url);
    name = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return {};
    const auto letters = name.substr(dot + 1);
    const bool fits = !letters.empty() && letters.size() <= 8 &&
                      std::all_of(letters.begin(), letters.end(), is_letter_or_digit);
    return fits ? name.substr(dot) : std::string_view();
}

std::string_view suffix_of_type(std::string_view content_type) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> known{{
        {"image/jpeg", ".jpg"},
        {"image/png", ".png"},
        {"image/gif", ".gif"},
        {"image/webp", ".webp"},
        {"image/tiff", ".tif"},
        {"image/bmp", ".bmp"},
        {"image/svg+xml", ".svg"},
        {"image/x-exr", ".exr"},
        {"image/vnd.adobe.photoshop", ".psd"},
        {"application/pdf", ".pdf"},
        {"video/mp4", ".mp4"},
        {"video/quicktime", ".mov"},
    }};
    auto type = lower(content_type.substr(0, content_type.find(';')));
    type.erase(type.find_last_not_of(" \t") + 1);
    type.erase(0, type.find_first_not_of(" \t"));
    for (const auto& [name, suffix] : known)
        if (type == name) return suffix;
    return ".bin";
}

/// Where the bytes of a character that does not fit begin.
std::size_t character_boundary(std::string_view text, std::size_t at) {
    // No character has more than three bytes after its first: text that is not UTF-8 is cut where it is.
    auto start = at;
    for (int i = 0; i < 3 && start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U; ++i)
        --start;
    return (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U ? at : start;
}

void trim(std::string& name) { name.erase(name.find_last_not_of(". ") + 1); }

void cut(std::string& name) {
    if (name.size() <= longest_attachment_name) return;
    const auto dot = name.rfind('.');
    std::string suffix;
    if (dot != std::string::npos && dot > 0 && name.size() - dot <= longest_kept_suffix)
        suffix = name.substr(dot);
    name.resize(character_boundary(name, longest_attachment_name - suffix.size()));
    name += suffix;
    trim(name);
}

void replace_forbidden(std::string& name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        const auto next = i + 1 < name.size() ? static_cast<unsigned char>(name[i + 1]) : 0U;
        const bool c1 = c == 0xC2U && next >= 0x80U && next < 0xA0U;  // a control character of two bytes
        if (c1) ++i;
        const bool forbidden = c1 || c < 0x20U || c == 0x7FU ||
                               std::string_view("<>:\"|?*").find(name[i]) != std::string_view::npos;
        out += forbidden ? '_' : name[i];
    }
    name = std::move(out);
}

/// Windows keeps these names for devices, whatever follows the first dot.
bool is_device(std::string_view name) {
    auto stem = lower(name.substr(0, name.find('.')));
    stem.erase(stem.find_last_not_of(' ') + 1);
    if (stem == "con" || stem == "prn" || stem == "aux" || stem == "nul") return true;
    return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '1' &&
           stem[3] <= '9';
}

}  // namespace

std::string thumbnail_suffix(std::string_view final_url, std::string_view content_type) {
    const auto suffix = suffix_of_url(final_url);
    return std::string(suffix.empty() ? suffix_of_type(content_type) : suffix);
}

std::string attachment_name(std::string_view name) {
    const auto slash = name.find_last_of("/\\");
    std::string out(slash == std::string_view::npos ? name : name.substr(slash + 1));
    replace_forbidden(out);
    trim(out);
    cut(out);
    if (out.empty()) return std::string(nameless);  // `.` and `..` as well
    if (is_device(out)) {
        const auto dot = out.find('.');
        out = std::string(nameless) + (dot == std::string::npos ? std::string() : out.substr(dot));
        cut(out);
    }
    return out;
}

}  // namespace sg::retriever
