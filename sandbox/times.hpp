#pragma once
// Dates and times as the site writes and accepts them.

#include <chrono>
#include <optional>
#include <string>

namespace sg::sandbox {

using Seconds = std::chrono::sys_seconds;

/// `2026-03-04T05:06:07Z`
std::string iso_text(Seconds time);
/// `2026-03-04 05:06:07 UTC`, the form of `retirement_date`
std::string utc_text(Seconds time);
/// `Wed, 04 Mar 2026 05:06:07 GMT`, the form of HTTP's Date
std::string http_date(Seconds time);

/// A date-time value: ISO 8601 with `Z`, an offset or nothing (UTC); fractions are cut off; a date
/// alone is midnight UTC. nullopt for everything else.
std::optional<Seconds> read_date_time(const std::string& text);
/// A date value, `YYYY-MM-DD` and a real day; nullopt for everything else.
std::optional<Seconds> read_date(const std::string& text);

}  // namespace sg::sandbox
