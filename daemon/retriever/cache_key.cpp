#include "retriever/cache_key.hpp"

#include <openssl/evp.h>
#include <algorithm>
#include <array>

namespace sg::retriever {
namespace {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr bool is_of_scheme(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

std::string_view without_scheme(std::string_view url) {
    const auto colon = url.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_letter(url.front())) return url;
    const auto scheme = url.substr(0, colon);
    return std::all_of(scheme.begin(), scheme.end(), is_of_scheme) ? url.substr(colon + 1) : url;
}

}  // namespace

std::string_view url_path(std::string_view url) noexcept {
    url = without_scheme(url);
    if (url.starts_with("//")) {
        const auto end = url.find_first_of("/?#", 2);
        url = end == std::string_view::npos ? std::string_view() : url.substr(end);
    }
    url = url.substr(0, url.find_first_of("?#"));
    const auto slash = url.rfind('/');
    return url.substr(0, url.find(';', slash == std::string_view::npos ? 0 : slash));
}

std::string cache_key(std::string_view url) {
    const auto path = url_path(url);
    if (path.empty()) return {};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(path.data(), path.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) return {};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        hex += digits[digest[i] >> 4U];
        hex += digits[digest[i] & 15U];
    }
    return hex;
}

bool is_placeholder(std::string_view url) noexcept {
    return url_path(url).starts_with("/images/status/transient/");
}

bool has_cache_keys() { return !cache_key("/").empty(); }

}  // namespace sg::retriever
