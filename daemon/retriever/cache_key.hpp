#pragma once
// What stands for a URL in the cache.

#include <string>
#include <string_view>

namespace sg::retriever {

/// The path of `url` as written, without scheme, host, query, fragment and the `;parameters` of its last
/// segment. A view into `url`.
std::string_view url_path(std::string_view url) noexcept;

/// 32 lower-case hex digits, the MD5 of the path; empty where there is none.
std::string cache_key(std::string_view url);

/// Whether this is one of the pictures that the site shows while it makes a thumbnail.
bool is_placeholder(std::string_view url) noexcept;

/// OpenSSL may be set up to refuse MD5; there can be no keys then.
bool has_cache_keys();

}  // namespace sg::retriever
