#pragma once
// What each relation means for each data type.

#include <functional>
#include <string>

#include "sandbox/entity_store.hpp"
#include "sandbox/times.hpp"

namespace sg::sandbox {

/// Judges the value of one field (an array, for a multi link).
using ValueTest = std::function<bool(const Json&)>;

/// `negative` relations also hold where a dotted path leads nowhere.
struct Relation {
    ValueTest test;
    bool negative = false;
};

/// Checks a condition and makes its test. `where` is the field as messages name it (`Shot.code`).
/// Refuses what the site refuses; and what a real site knows but the sandbox does not, by name.
Relation relation_for(const FieldDef& field, const std::string& where, const std::string& relation,
                      const Json& values, const EntityStore& store, Seconds now);

}  // namespace sg::sandbox
