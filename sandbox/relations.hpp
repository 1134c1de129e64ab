#pragma once
// What each relation means for each data type.

#include <functional>
#include <string>
#include <vector>

#include "sandbox/entity_store.hpp"
#include "sandbox/time_zone.hpp"

namespace sg::sandbox {

/// Judges the value of one field (an array, for a multi link).
using ValueTest = std::function<bool(const Json&)>;

/// `negative` relations also hold where a dotted path leads nowhere.
struct Relation {
    ValueTest test;
    bool negative = false;
};

/// The relations that a filter may use on a field of this type; none: it cannot be filtered.
const std::vector<std::string>& relations_of(DataType type);

/// Checks a condition and makes its test. `where` is the field as messages name it (`Shot.code`).
/// Refuses what the site refuses; and what a real site knows but the sandbox does not, by name.
Relation relation_for(const FieldDef& field, const std::string& where, const std::string& relation,
                      const Json& values, const EntityStore& store, const SiteTime& time);

/// In lower case, letters of every alphabet included.
std::string lower(const std::string& text);

}  // namespace sg::sandbox
