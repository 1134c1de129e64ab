#pragma once
// What is told of a download that failed.

#include <string>
#include <string_view>

#include "util/result.hpp"

namespace sg::retriever {

/// A text without what stands behind the `?` of the URLs in it: signatures are there.
std::string without_queries(std::string_view text);

/// `download of URL failed: CAUSE`; neither shows a query of `url` or of another URL.
Failure download_failed(std::string_view url, Failure why);

}  // namespace sg::retriever
