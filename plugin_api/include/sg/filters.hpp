#pragma once
// Filters of rows, made of C++.
//
//     using sg::field;
//     site.find("Task", sg::all_of{field("entity").is(shot),
//                                  sg::any_of{field("sg_status_list").in({"ip", "rev"}),
//                                             field("due_date").in_next(2, sg::TimeUnit::week)}});
//
// What can be known to be wrong does not compile (a relation that no field has, an order among links), or
// throws `Error(invalid)` where it stands, before anything is sent. What depends on the type of a field is
// the site's to judge: only the site knows its fields.
//
// Three things to know of a site: text compares without regard to case; every negative relation also holds
// where the field is empty, but for `is_not(nullptr)`; `is` of a multi-entity field means "holds".

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <sg/error.hpp>
#include <sg/types.hpp>
#include <sg/values.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg {

/// One condition or a group of them; a value. Goes wherever filters go as JSON, and is JSON in the form of
/// the official Python client when asked.
///
/// Threads: a value; as safe as any.
class Filter {
public:
    const nlohmann::json& as_json() const noexcept { return json_; }

protected:
    explicit Filter(nlohmann::json value) : json_(std::move(value)) {}

private:
    friend class Field;
    nlohmann::json json_;
};
inline void to_json(nlohmann::json& out, const Filter& filter) { out = filter.as_json(); }

enum class TimeUnit { hour, day, week, month, year };

/// What stands on the right of a relation: null, bool, number, text, link, date, time, or raw JSON.
class Operand {
public:
    Operand(std::nullptr_t) {}
    Operand(const char* text) : json_(text) {}
    Operand(std::string_view text) : json_(text) {}
    Operand(const std::string& text) : json_(text) {}
    Operand(const EntityRef& entity) : json_(entity) {}
    Operand(UtcTime time) : json_(time_text(time)) {}
    Operand(const Date& date) : json_(date_text(date)) {}
    template <std::same_as<bool> T>
    Operand(T flag) : json_(flag) {}
    template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>) Operand(T number) : json_(number) {
        if (std::cmp_greater(number, std::numeric_limits<std::int64_t>::max()))
            throw Error(Cause::invalid, "a number in a filter does not fit into 64 bits");
    }
    template <std::floating_point T>
    Operand(T number) : json_(number) {
        if (!std::isfinite(number)) throw Error(Cause::invalid, "a number in a filter is not finite");
    }
    template <std::same_as<nlohmann::json> T>
    Operand(const T& value) : json_(value) {}

    const nlohmann::json& as_json() const noexcept { return json_; }

private:
    nlohmann::json json_;
};

namespace detail {

enum class Takes { value, text, link_or_text, two, some, amount_and_unit, offset };

struct Relation {
    std::string_view name;
    Takes takes;
};

/// Every relation that some data type of the site has.
inline constexpr std::array relations{
    Relation{"is", Takes::value},
    Relation{"is_not", Takes::value},
    Relation{"less_than", Takes::value},
    Relation{"greater_than", Takes::value},
    Relation{"contains", Takes::link_or_text},
    Relation{"not_contains", Takes::link_or_text},
    Relation{"starts_with", Takes::text},
    Relation{"ends_with", Takes::text},
    Relation{"between", Takes::two},
    Relation{"not_between", Takes::two},
    Relation{"in", Takes::some},
    Relation{"not_in", Takes::some},
    Relation{"in_last", Takes::amount_and_unit},
    Relation{"not_in_last", Takes::amount_and_unit},
    Relation{"in_next", Takes::amount_and_unit},
    Relation{"not_in_next", Takes::amount_and_unit},
    Relation{"in_calendar_day", Takes::offset},
    Relation{"in_calendar_week", Takes::offset},
    Relation{"in_calendar_month", Takes::offset},
    Relation{"in_calendar_year", Takes::offset},
    Relation{"type_is", Takes::link_or_text},
    Relation{"type_is_not", Takes::link_or_text},
    Relation{"name_is", Takes::text},
    Relation{"name_contains", Takes::text},
    Relation{"name_not_contains", Takes::text},
    Relation{"name_starts_with", Takes::text},
    Relation{"name_ends_with", Takes::text},
};

/// A number, a date, a time, their text, or null: what can be less than another.
template <class T>
concept Ordered = std::convertible_to<T, Operand> && !std::same_as<T, bool> && !std::same_as<T, EntityRef>;

}  // namespace detail

/// A field, to be followed by a relation. By itself it is no filter.
class Field {
public:
    /// `code`, or through links `entity.Shot.code`. Throws `Error(invalid)` for a path that has no end.
    explicit Field(std::string path) : path_(std::move(path)) {
        std::size_t parts = 1, begin = 0;
        for (std::size_t dot; (dot = path_.find('.', begin)) != path_.npos; begin = dot + 1, ++parts)
            if (dot == begin) parts = 1'000'000;  // an empty part
        if (begin == path_.size() || parts >= 1'000'000 || parts % 2 == 0)
            throw Error(Cause::invalid,
                        "'" + path_ + "' is no path of a field: it is field, or field.Type.field");
    }

    /// Equality, of text without regard to case; of a multi-entity field: holds. One value: for several
    /// see `in`.
    Filter is(const Operand& value) const { return relation("is", {value}); }
    Filter is_not(const Operand& value) const { return relation("is_not", {value}); }

    template <detail::Ordered T>
    Filter less_than(const T& value) const {
        return relation("less_than", {value});
    }
    template <detail::Ordered T>
    Filter greater_than(const T& value) const {
        return relation("greater_than", {value});
    }
    /// Both ends included, in any order.
    template <detail::Ordered A, detail::Ordered B>
    Filter between(const A& one, const B& other) const {
        return relation("between", {one, other});
    }
    template <detail::Ordered A, detail::Ordered B>
    Filter not_between(const A& one, const B& other) const {
        return relation("not_between", {one, other});
    }

    /// Any of them. An empty list matches nothing (`not_in`: everything), and is answered without asking
    /// the site where that decides the whole question.
    Filter in(std::initializer_list<Operand> values) const { return relation("in", values); }
    Filter not_in(std::initializer_list<Operand> values) const { return relation("not_in", values); }
    template <std::convertible_to<Operand> T>
    Filter in(const std::vector<T>& values) const {
        return relation("in", std::vector<Operand>(values.begin(), values.end()));
    }
    template <std::convertible_to<Operand> T>
    Filter not_in(const std::vector<T>& values) const {
        return relation("not_in", std::vector<Operand>(values.begin(), values.end()));
    }

    /// Part of a text; of an addressing field: one of the addressed.
    Filter contains(std::string_view text) const { return relation("contains", {text}); }
    Filter contains(const EntityRef& entity) const { return relation("contains", {entity}); }
    Filter not_contains(std::string_view text) const { return relation("not_contains", {text}); }
    Filter not_contains(const EntityRef& entity) const { return relation("not_contains", {entity}); }
    Filter starts_with(std::string_view text) const { return relation("starts_with", {text}); }
    Filter ends_with(std::string_view text) const { return relation("ends_with", {text}); }

    /// From so long ago until now; of a date, today included. Throws `Error(invalid)` below 1.
    Filter in_last(std::int64_t n, TimeUnit unit) const { return relative("in_last", n, unit); }
    Filter not_in_last(std::int64_t n, TimeUnit unit) const { return relative("not_in_last", n, unit); }
    Filter in_next(std::int64_t n, TimeUnit unit) const { return relative("in_next", n, unit); }
    Filter not_in_next(std::int64_t n, TimeUnit unit) const { return relative("not_in_next", n, unit); }

    /// 0 is this day, week, month, year; -1 the one before; by UTC.
    Filter in_calendar_day(std::int64_t offset) const { return relation("in_calendar_day", {offset}); }
    Filter in_calendar_week(std::int64_t offset) const { return relation("in_calendar_week", {offset}); }
    Filter in_calendar_month(std::int64_t offset) const { return relation("in_calendar_month", {offset}); }
    Filter in_calendar_year(std::int64_t offset) const { return relation("in_calendar_year", {offset}); }

    /// Of links: the type, or the display name, of what they point to.
    Filter type_is(std::string_view type) const { return relation("type_is", {type}); }
    Filter type_is_not(std::string_view type) const { return relation("type_is_not", {type}); }
    Filter name_is(std::string_view name) const { return relation("name_is", {name}); }
    Filter name_contains(std::string_view text) const { return relation("name_contains", {text}); }
    Filter name_not_contains(std::string_view text) const { return relation("name_not_contains", {text}); }
    Filter name_starts_with(std::string_view text) const { return relation("name_starts_with", {text}); }
    Filter name_ends_with(std::string_view text) const { return relation("name_ends_with", {text}); }

    /// Any relation by its name, for those that read filters from elsewhere. Throws `Error(invalid)` for a
    /// relation that no data type has, and for operands that do not go with it.
    Filter relation(std::string_view name, const std::vector<Operand>& operands) const {
        const auto refuse = [&](const std::string& why) {
            throw Error(Cause::invalid, "'" + path_ + "' " + std::string(name) + ": " + why);
        };
        const detail::Relation* known = nullptr;
        for (const auto& each : detail::relations)
            if (each.name == name) known = &each;
        if (known == nullptr) refuse("no field has this relation");

        auto values = nlohmann::json::array();
        for (const auto& operand : operands) values.push_back(operand.as_json());
        for (const auto& value : values)
            if (value.is_array()) refuse("a list is no value; name its elements one by one");
        const auto count = values.size();
        const auto is_text = [](const nlohmann::json& value) { return value.is_string(); };
        switch (known->takes) {
            case detail::Takes::value:
                if (count != 1) refuse("takes one value");
                break;
            case detail::Takes::text:
                if (count != 1 || !is_text(values[0])) refuse("takes one text");
                break;
            case detail::Takes::link_or_text:
                if (count != 1 || values[0].is_number() || values[0].is_boolean())
                    refuse("takes one text, or a link");
                break;
            case detail::Takes::two:
                if (count != 2) refuse("takes two values");
                break;
            case detail::Takes::some:
                return Filter({path_, name, std::move(values)});
            case detail::Takes::amount_and_unit:
                if (count != 2 || !values[0].is_number_integer() || !is_unit(values[1]))
                    refuse("takes a number and one of HOUR, DAY, WEEK, MONTH, YEAR");
                // `values[0] < 1` would have every plugin compile how any JSON compares with any other.
                if (values[0].get<std::int64_t>() < 1) refuse("takes a number of 1 or more");
                break;
            case detail::Takes::offset:
                if (count != 1 || !values[0].is_number_integer()) refuse("takes one whole number");
                break;
        }
        if (count == 1) return Filter({path_, name, std::move(values[0])});
        return Filter({path_, name, std::move(values)});
    }

private:
    static constexpr std::array<std::string_view, 5> units{"HOUR", "DAY", "WEEK", "MONTH", "YEAR"};
    static bool is_unit(const nlohmann::json& value) {
        const auto* text = value.get_ptr<const std::string*>();
        return text != nullptr && std::find(units.begin(), units.end(), *text) != units.end();
    }
    Filter relative(std::string_view name, std::int64_t n, TimeUnit unit) const {
        return relation(name, {n, units.at(static_cast<std::size_t>(unit))});
    }

    std::string path_;
};

inline Field field(std::string path) { return Field(std::move(path)); }

/// Holds where every part does; without parts, everywhere.
class all_of : public Filter {
public:
    all_of(std::initializer_list<Filter> parts) : all_of(std::vector<Filter>(parts)) {}
    explicit all_of(const std::vector<Filter>& parts)
        : Filter({{"filter_operator", "all"}, {"filters", parts}}) {}
};

/// Holds where at least one part does. Without parts a site would let everything through, where nothing is
/// meant: that throws `Error(invalid)`.
class any_of : public Filter {
public:
    any_of(std::initializer_list<Filter> parts) : any_of(std::vector<Filter>(parts)) {}
    explicit any_of(const std::vector<Filter>& parts)
        : Filter({{"filter_operator", "any"}, {"filters", parts}}) {
        if (parts.empty()) throw Error(Cause::invalid, "any_of needs at least one part");
    }
};

}  // namespace sg
