#pragma once
// What the methods have in common: links among their parameters, and answers of one kind.

#include <nlohmann/json.hpp>
#include <string>

#include "util/result.hpp"

namespace sg::site {

/// An entity as a parameter: its type and id. Errors: `invalid`, naming the parameter.
Result<nlohmann::json> link_parameter(const nlohmann::json& value, const char* name);

/// The same where null stands for none.
Result<nlohmann::json> link_or_null(const nlohmann::json& value, const char* name);

/// `YYYY-MM-DD`, and really a day. Errors: `invalid`, naming the parameter.
Result<std::string> date_parameter(const nlohmann::json& value, const char* name);

/// Answers that are true or false. Errors: `bad_answer`, or why there is none.
Result<bool> as_bool(Result<nlohmann::json> answer);

}  // namespace sg::site
