#pragma once
// Points in time as the site writes them.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sg {

/// `YYYY-MM-DDTHH:MM:SSZ`, a time that there is, and nothing else. Read for each event, so by hand: the C
/// library takes many times as long, and lets through what is no time. Any thread.
inline std::optional<std::chrono::sys_seconds> read_utc(std::string_view text) {
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd:ddZ";
    if (text.size() != shape.size()) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return std::nullopt;
    }
    const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
    const std::chrono::year_month_day day{std::chrono::year(two(0) * 100 + two(2)),
                                          std::chrono::month(static_cast<unsigned>(two(5))),
                                          std::chrono::day(static_cast<unsigned>(two(8)))};
    if (!day.ok() || two(11) > 23 || two(14) > 59 || two(17) > 60) return std::nullopt;
    return std::chrono::sys_days(day) + std::chrono::hours(two(11)) + std::chrono::minutes(two(14)) +
           std::chrono::seconds(two(17));
}

/// As a person writes it: such a time, or a day alone (`2026-03-04`), which is its first second.
inline std::optional<std::chrono::sys_seconds> read_utc_or_day(const std::string& text) {
    constexpr std::size_t day = std::string_view("2026-03-04").size();
    return read_utc(text.size() == day ? text + "T00:00:00Z" : text);
}

}  // namespace sg
