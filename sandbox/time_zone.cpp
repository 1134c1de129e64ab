#include "sandbox/time_zone.hpp"

#include <cctype>
#include <cstdio>
#include <stdexcept>
#include <vector>

namespace sg::sandbox {
namespace {

using Offset = std::chrono::seconds;

[[noreturn]] void wrong(const std::string& text) {
    throw std::invalid_argument("no time zone rule: " + text);
}

/// `5`, `-5:30`, `03:00:00`, read from `at` on.
Offset read_clock(const std::string& text, std::size_t& at) {
    const bool minus = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    std::int64_t total = 0, unit = 3600;
    bool any = false;
    while (unit > 0) {
        std::int64_t number = 0;
        const auto from = at;
        while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0 && at - from < 3)
            number = number * 10 + (text[at++] - '0');
        if (at == from) wrong(text);
        any = true;
        total += number * unit;
        unit /= 60;
        if (at >= text.size() || text[at] != ':') break;
        ++at;
    }
    if (!any) wrong(text);
    return Offset(minus ? -total : total);
}

std::size_t skip_name(const std::string& text, std::size_t at) {
    const auto from = at;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0) ++at;
    if (at - from < 3) wrong(text);
    return at;
}

}  // namespace

TimeZone::Change TimeZone::read_change(const std::string& text) {
    Change change;
    int used = 0;
    if (std::sscanf(text.c_str(), "M%2u.%1u.%1u%n", &change.month, &change.week, &change.weekday, &used) !=
            3 ||
        change.month < 1 || change.month > 12 || change.week < 1 || change.week > 5 || change.weekday > 6)
        wrong(text);
    auto at = static_cast<std::size_t>(used);
    if (at == text.size()) return change;
    if (text[at++] != '/') wrong(text);
    change.at = read_clock(text, at);
    if (at != text.size()) wrong(text);
    return change;
}

TimeZone::TimeZone(const std::string& rule) {
    auto at = skip_name(rule, 0);
    standard_ = -read_clock(rule, at);
    summer_ = standard_;
    if (at == rule.size()) return;
    at = skip_name(rule, at);
    summer_ = standard_ + Offset(3600);
    if (at < rule.size() && rule[at] != ',') summer_ = -read_clock(rule, at);
    if (at >= rule.size() || rule[at] != ',') wrong(rule);
    const auto comma = rule.find(',', at + 1);
    if (comma == std::string::npos) wrong(rule);
    begins_ = read_change(rule.substr(at + 1, comma - at - 1));
    ends_ = read_change(rule.substr(comma + 1));
}

Seconds TimeZone::when(const Change& change, std::chrono::year year, Offset offset) const {
    using namespace std::chrono;
    const year_month month{year, std::chrono::month(change.month)};
    const weekday day(change.weekday);
    const auto date = change.week == 5 ? sys_days(month / day[last]) : sys_days(month / day[change.week]);
    return Seconds(date) + change.at - offset;
}

Offset TimeZone::offset_at(Seconds time) const {
    if (!begins_) return standard_;
    const auto year =
        std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time + standard_)).year();
    const auto begin = when(*begins_, year, standard_), end = when(*ends_, year, summer_);
    // South of the equator summer spans the new year.
    const bool summer = begin < end ? begin <= time && time < end : !(end <= time && time < begin);
    return summer ? summer_ : standard_;
}

Seconds TimeZone::day_at(Seconds time) const {
    return Seconds(std::chrono::floor<std::chrono::days>(time + offset_at(time)));
}

}  // namespace sg::sandbox
