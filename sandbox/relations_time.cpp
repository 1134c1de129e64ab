// Relations of dates and date-times.

#include <array>

#include "sandbox/condition.hpp"

namespace sg::sandbox {
namespace {

using std::chrono::days;

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

/// A stored value, which was checked when it was written.
std::optional<Seconds> stored_time(const Json& value) {
    return value.is_string() ? read_date_time(value.get_ref<const std::string&>()) : std::nullopt;
}

/// `count` units before or after `from`, on the calendar; a month's end stays within its month.
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

/// A number that no calendar is long enough for is cut down to one that it is.
std::int64_t offset_of(const Condition& c, const Json& value, bool positive) {
    constexpr std::int64_t most = 100'000;
    if (!value.is_number_integer() || (positive && value.get<std::int64_t>() <= 0))
        refuse(fault_invalid, "'{}' 'relation' expects {} Integer time unit: {}", c.relation,
               positive ? "at a positive" : "an", c.values.dump());
    return std::clamp(value.get<std::int64_t>(), -most, most);
}

ValueTest within(Seconds low, Seconds high, bool negative) {
    return [=](const Json& value) {
        const auto time = stored_time(value);
        return (time && low <= *time && *time <= high) != negative;
    };
}

ValueTest relative_test(const Condition& c) {
    static const std::array<std::string, 5> units{"HOUR", "DAY", "WEEK", "MONTH", "YEAR"};
    const auto& unit = c.value(1);
    const auto count = offset_of(c, c.value(0), true);
    if (!unit.is_string() || std::ranges::find(units, unit.get<std::string>()) == units.end())
        refuse(fault_invalid, "'{}' 'relation' doesn't support the {} time unit: {}\nValid time units: {}",
               c.relation, unit.is_string() ? '\'' + unit.get<std::string>() + '\'' : unit.dump(),
               c.values.dump(), Json(units).dump());
    const bool day = c.field.type == DataType::date;
    const Seconds from = day ? c.time.today : c.time.now;
    // Hours make no difference to a day: they collapse to today.
    const auto edge = day && unit == "HOUR" ? from
                                            : moved(from, c.relation.ends_with("last") ? -count : count,
                                                    unit.get<std::string>());
    const auto [low, high] = std::minmax(from, edge);
    return within(low, high, is_negative(c.relation));
}

/// A date knows the site's today; a date-time goes by the UTC calendar, whatever the site's zone.
ValueTest calendar_test(const Condition& c) {
    using namespace std::chrono;
    const auto offset = offset_of(c, c.value(), false);
    const auto today = floor<days>(c.field.type == DataType::date ? c.time.today : c.time.now);
    auto first = sys_days(today), next = first;
    if (c.is("in_calendar_day")) {
        first = today + days(offset);
        next = first + days(1);
    } else if (c.is("in_calendar_week")) {
        const auto begins = c.time.weeks_begin_on_sunday ? Sunday : Monday;
        first = today - (weekday(today) - begins) + weeks(offset);
        next = first + weeks(1);
    } else {
        const bool month_asked = c.is("in_calendar_month");
        const year_month_day date(today);
        const auto begin = month_asked
                               ? year_month(date.year(), date.month()) + months(static_cast<int>(offset))
                               : year_month(date.year() + years(static_cast<int>(offset)), January);
        first = sys_days(begin / 1);
        next = sys_days((begin + months(month_asked ? 1 : 12)) / 1);
    }
    return within(Seconds(first), Seconds(next) - seconds(1), false);
}

}  // namespace

ValueTest time_test(const Condition& c) {
    if (c.relation.ends_with("_last") || c.relation.ends_with("_next")) return relative_test(c);
    if (c.relation.starts_with("in_calendar")) return calendar_test(c);
    // The condition's own values are checked as they are read; then rows are compared with them.
    auto checked = c;
    for (auto& value : checked.values) {
        const auto time = read_time(c, value);
        value = time ? Json(iso_text(*time)) : Json();
    }
    return ordered_test<Seconds>(checked, stored_time);
}

}  // namespace sg::sandbox
