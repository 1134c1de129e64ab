#pragma once
// One condition of a filter while its test is made. Included by the relations' sources only.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/refusal.hpp"
#include "sandbox/relations.hpp"

namespace sg::sandbox {

/// Everything a condition is judged by. The tests keep copies of what they need.
struct Condition {
    const FieldDef& field;
    std::string where;
    std::string relation;
    Json values;
    const EntityStore& store;
    SiteTime time;

    const Json& value(std::size_t i = 0) const { return values.at(i); }
    bool is(std::string_view name) const { return relation == name; }
};

inline bool is_negative(const std::string& relation) {
    return relation == "is_not" || relation == "type_is_not" || relation.starts_with("not_") ||
           relation == "name_not_contains";
}

[[noreturn]] inline void wrong_kind(const Condition& c, std::string_view expected, const Json& got) {
    refuse(fault_invalid, "{} expected {} data type(s) but got: {}", c.where, expected, got.dump());
}

/// A key that orders and compares as the field does; nullopt for null.
template <class Key>
using KeyOf = std::function<std::optional<Key>(const Json&)>;

/// is, is_not, in, not_in, greater_than, less_than, between, not_between.
template <class Key>
ValueTest ordered_test(const Condition& c, const KeyOf<Key>& key) {
    std::vector<std::optional<Key>> wanted;
    for (const auto& value : c.values) wanted.push_back(key(value));
    const auto any = [wanted, key](const Json& value) {
        return std::ranges::find(wanted, key(value)) != wanted.end();
    };
    if (c.is("is") || c.is("in")) return any;
    if (c.is("is_not") || c.is("not_in")) return [any](const Json& value) { return !any(value); };
    const auto first = wanted.front();
    if (c.is("greater_than") || c.is("less_than"))
        return [=, above = c.is("greater_than")](const Json& v) {
            const auto k = key(v);
            return k && first && (above ? *k > *first : *k < *first);
        };
    const auto second = wanted.back();
    const bool negative = c.is("not_between");
    if (!first || !second) return [negative](const Json&) { return negative; };
    const auto [low, high] = std::minmax(*first, *second);
    return [key, negative, low = low, high = high](const Json& v) {
        const auto k = key(v);
        return (k && low <= *k && *k <= high) != negative;
    };
}

// Each makes the test for its data types.
ValueTest text_test(const Condition& c);
ValueTest tag_test(const Condition& c);
ValueTest time_test(const Condition& c);
ValueTest link_test(const Condition& c);

}  // namespace sg::sandbox
