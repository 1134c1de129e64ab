#pragma once
// Calls, written down.

#include <string>

#include "logging/logging.hpp"

namespace sg::logging {

/// `event_id=1 created_at=… callback=… start=… end=… duration=… error=False delay=…`, in local time, as
/// scripts know it from the old daemon. Durations are `DD:HH:MM:SS.ffffff`, with a minus before one that is
/// below zero; what an event without a date does not have is `None`.
std::string old_line(const Timing& call);

/// The same as a JSON object; times are UTC, durations seconds, and what is not known is null.
std::string record(const Timing& call);

}  // namespace sg::logging
