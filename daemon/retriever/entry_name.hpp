#pragma once
// Names of files in the cache, made of what others wrote.

#include <string>
#include <string_view>

namespace sg::retriever {

/// The longest name an attachment has in the cache, in bytes.
inline constexpr std::size_t longest_attachment_name = 200;

/// What the name of a thumbnail ends in, with its dot: the suffix of the URL where it looks like one, else
/// what the content type says. Never empty, never more than nine bytes.
std::string thumbnail_suffix(std::string_view final_url, std::string_view content_type);

/// `name` made fit for every file system: one component, of at most `longest_attachment_name` bytes. A name
/// that is fit stays as it is.
std::string attachment_name(std::string_view name);

}  // namespace sg::retriever
