#pragma once
// Filters: from the form people write to the form the site reads.

#include <nlohmann/json.hpp>
#include <string_view>

#include "util/result.hpp"

namespace sg::site {

struct WireFilters {
    nlohmann::json tree;           ///< `{"logical_operator": …, "conditions": […]}`
    bool matches_nothing = false;  ///< no row can satisfy it (an `in` without values): not worth a request
};

/// Translates the official Python client's conditions: a list of them, one alone, a group
/// (`filter_operator`), or an `sg::Filter` as JSON. Another object is the site's own form already and is
/// passed on as it is. An `in` without values matches nothing and a `not_in` without values everything,
/// which the site itself would refuse to hear. Errors: `invalid`, naming the condition by its position.
Result<WireFilters> to_wire_filters(const nlohmann::json& filters, std::string_view filter_operator);

/// An entity as a value only needs to say which one it is: the rest of its members is left out.
nlohmann::json trimmed(const nlohmann::json& value);

}  // namespace sg::site
