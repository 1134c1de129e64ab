#pragma once
// JSON from and to parties that are not trusted.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "util/result.hpp"

namespace sg::site {

/// Deeper documents are refused: copying and writing recurse. A filter may nest 265 groups, two
/// levels each.
inline constexpr std::size_t max_depth = 600;

/// Reads one document. Errors: `bad_answer`: not JSON, not UTF-8, deeper than `max_depth`.
Result<nlohmann::json> read_json(std::string_view text);

/// Writes it in one line, UTF-8 unescaped. Errors: `invalid`: NaN or infinity, which JSON cannot say,
/// text that is not UTF-8, deeper than `max_depth`.
Result<std::string> write_json(const nlohmann::json& value);

/// Text of any origin, fit for a message: UTF-8, one line, at most about `most` bytes.
std::string printable(std::string_view text, std::size_t most);

}  // namespace sg::site
