#pragma once
// The site's events as they come, for somebody at a terminal.

#include <functional>
#include <optional>
#include <stop_token>

#include "config/config.hpp"
#include "event/event_page.hpp"
#include "logging/logging.hpp"

namespace sg::service {

struct FollowOptions {
    std::optional<EventId> since;     ///< begins with what is newer; nullopt: with what comes from now on
    std::optional<std::size_t> most;  ///< ends after so many
};

/// Follows the event log with the daemon's credential and settings, beside a daemon that may be running and
/// without touching its state. Calls `take` for each event, in the order of ids but for late ones, until it
/// says false, `most` were taken, or `stop` is requested. Waits through outages, with a warning.
///
/// Blocks:  until then. `take` is called on the calling thread.
/// Errors:  settings that make no client; a temporary directory that cannot be had.
Result<void> follow(const config::Config& config, const FollowOptions& options, logging::Logging& logging,
                    const std::function<bool(const event::EventRow&)>& take, std::stop_token stop);

}  // namespace sg::service
