#pragma once
// The site's time zone, and what day it is there.

#include <cstdint>
#include <optional>
#include <string>

#include "sandbox/times.hpp"

namespace sg::sandbox {

/// A zone with its daylight saving rule, written as POSIX does: `UTC0`, `CET-1CEST,M3.5.0,M10.5.0/3`.
/// A rule in text needs no zone files, and a test means the same everywhere.
///
/// Threads: immutable.
class TimeZone {
public:
    TimeZone() = default;  ///< UTC
    /// Throws std::invalid_argument for what is no such rule.
    explicit TimeZone(const std::string& rule);

    /// What must be added to UTC to get the local time.
    std::chrono::seconds offset_at(Seconds time) const;
    /// The local calendar day, as the date value of that day (midnight UTC).
    Seconds day_at(Seconds time) const;

private:
    /// The `week`-th `weekday` of `month` (week 5: the last), at `at` local time.
    struct Change {
        unsigned month = 1, week = 1, weekday = 0;
        std::chrono::seconds at{7200};
    };
    Seconds when(const Change& change, std::chrono::year year, std::chrono::seconds offset) const;
    static Change read_change(const std::string& text);

    std::chrono::seconds standard_{0}, summer_{0};
    std::optional<Change> begins_, ends_;
};

/// What a request is judged by: the site's time, and its today as a date value.
struct SiteTime {
    Seconds now;
    Seconds today;
    bool weeks_begin_on_sunday = false;
};

}  // namespace sg::sandbox
