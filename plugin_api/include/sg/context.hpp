#pragma once
// All that a callback may want besides the event.

#include <chrono>
#include <optional>
#include <sg/logger.hpp>
#include <sg/site.hpp>
#include <stop_token>

namespace sg {

/// Handed to each call of a callback.
///
/// Threads:  every member may be called from any thread.
/// Lifetime: as long as the callback runs.
class Context {
public:
    virtual Site& site() = 0;

    /// Writes to the plugin's log; each line names the plugin, the callback and the event.
    virtual Logger& logger() = 0;

    /// What the callback was registered with; the plugin's arguments in the configuration if it
    /// was registered with none; null if there are none either.
    virtual const nlohmann::json& args() const = 0;

    /// 1 at the first try of this event by this callback.
    virtual std::uint32_t attempt() const noexcept = 0;

    /// True when an earlier try may have run without its outcome being known: the daemon or the
    /// host ended in the middle. What is not safe to do twice should be looked up first.
    virtual bool redelivered() const noexcept = 0;

    /// The same text for every try of this event by this callback, and for nothing else on any site.
    virtual std::string_view idempotency_key() const noexcept = 0;

    /// When the daemon gives up on this call, if a hard deadline is configured.
    virtual std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept = 0;

    /// True in a replay: writes to the site are shown, not made. Other effects are the plugin's to leave out.
    virtual bool dry_run() const noexcept = 0;

    /// Requested when the daemon wants the call to end; every blocking call of this context ends by itself.
    virtual std::stop_token stop_token() const noexcept = 0;

protected:
    ~Context() = default;
};

}  // namespace sg
