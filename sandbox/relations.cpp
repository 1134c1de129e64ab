#include "sandbox/relations.hpp"

#include <locale.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cwctype>
#include <optional>
#include <vector>

#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

using Names = std::vector<std::string>;

const Names text_relations{"is",          "is_not",    "contains", "not_contains",
                           "starts_with", "ends_with", "in",       "not_in"};
const Names number_relations{"is", "is_not", "greater_than", "less_than", "between", "in", "not_in"};
const Names time_relations{"is",     "is_not",  "greater_than", "less_than", "between",    "in",
                           "not_in", "in_last", "not_in_last",  "in_next",   "not_in_next"};
const Names choice_relations{"is", "is_not", "in", "not_in"};
const Names link_relations{"is",      "is_not",        "in",
                           "not_in",  "type_is",       "type_is_not",
                           "name_is", "name_contains", "name_not_contains"};
const Names flag_relations{"is", "is_not"};
const Names none;

const Names& relations_of(DataType type) {
    using enum DataType;
    switch (type) {
        case text:
            return text_relations;
        case number:
        case floating:
        case percent:
        case duration:
            return number_relations;
        case date:
        case date_time:
            return time_relations;
        case checkbox:
        case image:
            return flag_relations;
        case list:
        case status_list:
        case entity_type:
        case uuid:
        case color:
            return choice_relations;
        case entity:
        case multi_entity:
            return link_relations;
        case url:
        case serializable:
            return none;
    }
    return none;
}

/// In lower case, letters of every alphabet included.
std::string lower(const std::string& text) {
    static const ::locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    std::string out = text;
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool ascii = std::ranges::none_of(out, [](char c) { return (c & 0x80) != 0; });
    if (ascii || utf8 == nullptr) return out;
    const auto before = ::uselocale(utf8);
    std::wstring wide(out.size(), L'\0');
    const auto letters = std::mbstowcs(wide.data(), out.c_str(), wide.size());
    if (letters != static_cast<std::size_t>(-1)) {
        wide.resize(letters);
        std::ranges::transform(wide, wide.begin(), [](wchar_t c) {
            return static_cast<wchar_t>(std::towlower(static_cast<std::wint_t>(c)));
        });
        std::string back(wide.size() * 4, '\0');
        back.resize(std::wcstombs(back.data(), wide.c_str(), back.size()));
        out = std::move(back);
    }
    ::uselocale(before);
    return out;
}

/// Everything a condition is judged by. The tests keep copies of it.
struct Condition {
    const FieldDef& field;
    std::string where;
    std::string relation;
    Json values;
    const EntityStore& store;
    Seconds now;

    const Json& value(std::size_t i = 0) const { return values.at(i); }
    bool is(std::string_view name) const { return relation == name; }
};

bool is_negative(const std::string& relation) {
    return relation == "is_not" || relation == "type_is_not" || relation.starts_with("not_") ||
           relation == "name_not_contains";
}

void check_arity(const Condition& c) {
    std::size_t wanted = 1;
    if (c.is("in") || c.is("not_in")) {
        if (c.values.empty())
            refuse(fault_invalid, "'{}' 'relation' expects at least a 1-element array: {}", c.relation,
                   c.values.dump());
        return;
    }
    if (c.is("between") || c.relation.ends_with("in_last") || c.relation.ends_with("in_next")) wanted = 2;
    if (c.values.size() != wanted)
        refuse(fault_invalid, "'{}' 'relation' expects a {}-element array: {}", c.relation, wanted,
               c.values.dump());
}

[[noreturn]] void wrong_kind(const Condition& c, std::string_view expected, const Json& got) {
    refuse(fault_invalid, "{} expected {} data type(s) but got: {}", c.where, expected, got.dump());
}

/// A key that orders and compares as the field does; nullopt for null.
template <class Key>
using KeyOf = std::function<std::optional<Key>(const Json&)>;

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
    if (c.is("greater_than"))
        return [=](const Json& v) {
            const auto k = key(v);
            return k && first && *k > *first;
        };
    if (c.is("less_than"))
        return [=](const Json& v) {
            const auto k = key(v);
            return k && first && *k < *first;
        };
    const auto second = wanted.back();  // between
    if (!first || !second) return [](const Json&) { return false; };
    const auto [low, high] = std::minmax(*first, *second);
    return [key, low = low, high = high](const Json& v) {
        const auto k = key(v);
        return k && low <= *k && *k <= high;
    };
}

ValueTest text_test(const Condition& c) {
    const auto key = [c](const Json& value) -> std::optional<std::string> {
        if (value.is_null()) return std::nullopt;
        if (!value.is_string()) wrong_kind(c, "[String, NilClass]", value);
        const auto& text = value.get_ref<const std::string&>();
        return text.empty() ? std::nullopt : std::optional(lower(text));  // "" and null are the same
    };
    if (c.is("is") || c.is("is_not") || c.is("in") || c.is("not_in"))
        return ordered_test<std::string>(
            c, [key](const Json& v) { return v.is_string() || v.is_null() ? key(v) : std::nullopt; });
    const auto part = key(c.value());
    const auto found = [=, relation = c.relation](const Json& value) {
        const auto text = key(value);
        if (!part) return !text;
        if (!text) return false;
        if (relation == "starts_with") return text->starts_with(*part);
        if (relation == "ends_with") return text->ends_with(*part);
        return text->find(*part) != std::string::npos;
    };
    if (c.is("not_contains")) return [=](const Json& value) { return !found(value); };
    return found;
}

ValueTest number_test(const Condition& c) {
    const bool whole = c.field.type != DataType::floating;
    for (const auto& value : c.values) {
        if (value.is_null() || value.is_number_integer() || (!whole && value.is_number())) continue;
        wrong_kind(c, whole ? "[Integer, NilClass]" : "[Float, NilClass]", value);
    }
    if (whole)
        return ordered_test<Id>(
            c, [](const Json& v) { return v.is_null() ? std::nullopt : std::optional(v.get<Id>()); });
    return ordered_test<double>(
        c, [](const Json& v) { return v.is_null() ? std::nullopt : std::optional(v.get<double>()); });
}

std::optional<Seconds> read_time(const Condition& c, const Json& value) {
    if (value.is_null()) return std::nullopt;
    if (!value.is_string()) wrong_kind(c, "[String, NilClass]", value);
    const auto& text = value.get_ref<const std::string&>();
    const bool day = c.field.type == DataType::date;
    if (day && text.empty()) return std::nullopt;
    if (const auto time = day ? read_date(text) : read_date_time(text)) return time;
    if (day) refuse(fault_invalid, "Invalid date format: {}. Correct format is: 2011-01-21", text);
    refuse(fault_invalid, "Invalid date time format: {}. Correct format is 2011-01-21T13:26:09Z (UTC)", text);
}

/// `count` units before or after `from`, on the UTC calendar.
Seconds moved(Seconds from, std::int64_t count, const std::string& unit) {
    using namespace std::chrono;
    if (unit == "HOUR") return from + hours(count);
    if (unit == "DAY") return from + days(count);
    if (unit == "WEEK") return from + weeks(count);
    const auto day = floor<days>(from);
    auto date = year_month_day(day) + months(static_cast<int>(unit == "YEAR" ? count * 12 : count));
    if (!date.ok()) date = date.year() / date.month() / last;
    return sys_days(date) + (from - day);
}

ValueTest relative_test(const Condition& c) {
    static const std::array<std::string, 5> units{"HOUR", "DAY", "WEEK", "MONTH", "YEAR"};
    const auto &count = c.value(0), &unit = c.value(1);
    if (!count.is_number_integer() || count.get<std::int64_t>() <= 0)
        refuse(fault_invalid, "'{}' 'relation' expects at a positive Integer time unit: {}", c.relation,
               c.values.dump());
    if (!unit.is_string() || std::ranges::find(units, unit.get<std::string>()) == units.end())
        refuse(fault_invalid, "'{}' 'relation' doesn't support the {} time unit: {}\nValid time units: {}",
               c.relation, unit.dump(), c.values.dump(), Json(units).dump());
    const bool day = c.field.type == DataType::date;
    const Seconds from = day ? Seconds(std::chrono::floor<std::chrono::days>(c.now)) : c.now;
    const bool past = c.relation.ends_with("last");
    Seconds edge =
        moved(from, past ? -count.get<std::int64_t>() : count.get<std::int64_t>(), unit.get<std::string>());
    if (day) edge = std::chrono::floor<std::chrono::days>(edge);
    const auto [low, high] = std::minmax(from, edge);
    const bool negative = is_negative(c.relation);
    return [c, low = low, high = high, negative](const Json& value) {
        const auto time = read_time(c, value);
        return (time && low <= *time && *time <= high) != negative;
    };
}

ValueTest choice_test(const Condition& c) {
    for (const auto& value : c.values)
        if (!value.is_string() && !value.is_null()) wrong_kind(c, "[String, NilClass]", value);
    return ordered_test<std::string>(
        c, [](const Json& v) { return v.is_string() ? std::optional(v.get<std::string>()) : std::nullopt; });
}

ValueTest flag_test(const Condition& c) {
    const bool image = c.field.type == DataType::image;
    if (image ? !c.value().is_null() : !c.value().is_boolean())
        wrong_kind(c, image ? "[NilClass]" : "[TrueClass, FalseClass]", c.value());
    return [wanted = c.value(), negative = c.is("is_not")](const Json& value) {
        return (value == wanted) != negative;
    };
}

/// The elements of a link field: none for null, one for a single link.
std::vector<Json> elements(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_array()) return value.get<std::vector<Json>>();
    return {value};
}

ValueTest link_is_test(const Condition& c) {
    std::vector<LinkKey> wanted;
    for (const auto& value : c.values) {
        auto key = link_key(value);
        if (key.type.empty() && !value.is_null())
            refuse(fault_invalid, "{} invalid/missing entity hash string 'type': {}", c.where, value.dump());
        wanted.push_back(std::move(key));
    }
    const bool negative = is_negative(c.relation);
    return [wanted, negative](const Json& value) {
        const auto all = elements(value);
        const bool found = std::ranges::any_of(wanted, [&](const LinkKey& want) {
            if (want.type.empty()) return all.empty();
            return std::ranges::any_of(all, [&](const Json& link) { return link_key(link) == want; });
        });
        return found != negative;
    };
}

ValueTest link_text_test(const Condition& c) {
    const auto& value = c.value();
    const bool by_type = c.relation.starts_with("type_");
    if (!value.is_string() && !(by_type && value.is_null())) wrong_kind(c, "[String]", value);
    const auto wanted =
        value.is_string() ? (by_type ? value.get<std::string>() : lower(value.get<std::string>())) : "";
    const auto fits = [wanted, by_type, part = c.relation.ends_with("contains"),
                       &store = c.store](const Json& link) {
        if (by_type) return link_key(link).type == wanted;
        const auto shown = store.shown(link);
        const auto name =
            lower(shown.is_object() ? shown["name"].get<std::string>() : link.value("name", std::string()));
        return part ? name.find(wanted) != std::string::npos : name == wanted;
    };
    const bool negative = is_negative(c.relation);
    return [fits, negative, null = value.is_null()](const Json& v) {
        const auto all = elements(v);
        return (null ? all.empty() : std::ranges::any_of(all, fits)) != negative;
    };
}

ValueTest make_test(const Condition& c) {
    using enum DataType;
    switch (c.field.type) {
        case text:
            return text_test(c);
        case number:
        case floating:
        case percent:
        case duration:
            return number_test(c);
        case date:
        case date_time:
            if (c.relation.ends_with("_last") || c.relation.ends_with("_next")) return relative_test(c);
            return ordered_test<Seconds>(c, [c](const Json& value) { return read_time(c, value); });
        case checkbox:
        case image:
            return flag_test(c);
        case entity:
        case multi_entity:
            if (c.relation.starts_with("type_") || c.relation.starts_with("name_")) return link_text_test(c);
            return link_is_test(c);
        default:
            return choice_test(c);
    }
}

}  // namespace

Relation relation_for(const FieldDef& field, const std::string& where, const std::string& relation,
                      const Json& values, const EntityStore& store, Seconds now) {
    const auto& known = relations_of(field.type);
    if (known.empty())
        refuse(fault_invalid, "{}'s '{}' data type cannot be used in a filter.", where, name_of(field.type));
    if (std::ranges::find(known, relation) == known.end())
        refuse(fault_invalid, "{}'s '{}' data type doesn't support '{}' 'relation'\nValid relations: {}",
               where, name_of(field.type), relation, Json(known).dump());
    const Condition condition{field, where, relation, values, store, now};
    check_arity(condition);
    return {make_test(condition), is_negative(relation)};
}

}  // namespace sg::sandbox
