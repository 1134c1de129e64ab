#pragma once
// Into which group a row falls in a `summarize`.

#include <string>

#include "sandbox/filter.hpp"

namespace sg::sandbox {

/// A group's value, and the key that puts groups in order. Null is a group of its own, named "".
struct GroupOf {
    nlohmann::ordered_json value;
    std::string name;
    Json order;
};

/// Whether the sandbox knows this grouping for this data type; refuses it by name where not.
void check_grouping(const FieldDef& field, const std::string& type, const std::string& where,
                    const Scope& scope);
/// The group of `value`, a value of `field`. `type` was checked.
GroupOf group_of(const FieldDef& field, const std::string& type, const Json& value, const Scope& scope);

}  // namespace sg::sandbox
