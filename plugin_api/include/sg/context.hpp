#pragma once
// All that a callback may want besides the event.

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/logger.hpp>
#include <sg/retriever.hpp>
#include <sg/site.hpp>
#include <sg/tasks.hpp>
#include <sg/types.hpp>
#include <stop_token>
#include <string_view>
#include <vector>

namespace sg {

/// Handed to each call of a callback. A plugin never makes one (tests do: see <sg/testing.hpp>), so
/// that it can grow at its end.
///
/// Threads:  every member may be called from any thread.
/// Lifetime: as long as the callback runs, or the coroutine that it is; a thread that the callback
///           started must be joined before it ends, or touch nothing of this.
class Context {
public:
    virtual Site& site() = 0;

    /// Writes to the plugin's log; each line names the plugin, the callback and the event.
    virtual Logger& logger() = 0;

    /// What the callback was registered with; the plugin's arguments in the configuration if it
    /// was registered with none; null if there are none either. The same object at every call.
    virtual const nlohmann::json& args() const = 0;

    /// 1 at the first try of this event by this callback. A try that ended with its host counts.
    virtual std::uint32_t attempt() const noexcept = 0;

    /// True when an earlier try may have run without its outcome being known: the daemon or the
    /// host ended in the middle. What is not safe to do twice should be looked up first.
    virtual bool redelivered() const noexcept = 0;

    /// The same text for every try of this event by this callback, and for nothing else on any site.
    virtual std::string_view idempotency_key() const noexcept = 0;

    /// When the daemon gives up on this call, if a hard deadline is configured.
    virtual std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept = 0;

    /// True in a replay: writes to the site are shown, not made. Other effects (files, mails, other
    /// services) are the plugin's to leave out.
    virtual bool dry_run() const noexcept = 0;

    /// Requested when the daemon wants the call to end: it stops, or the deadline is near. Blocking
    /// calls of this context then throw `Error(stopped)` by themselves; a loop or wait of the
    /// plugin's own should look here, or is killed with its host in the end.
    virtual std::stop_token stop_token() const noexcept = 0;

    /// Background threads of the plugin's own host; started with the first task. What a callback
    /// hands in is stopped when the call is asked to stop. What it does not wait for may go on after
    /// it, and is outside what the daemon promises: it ends with the host, and nothing tries it again.
    /// `shut_down` is not for plugins: it throws `Error(not_supported)`.
    virtual TaskManager& tasks() = 0;

    /// Queries, thumbnails and attachments that the daemon fetches for all plugins together, started and
    /// with the credential of the callback; methods run in the plugin's own host. What a callback asks for
    /// is stopped when the call is asked to stop; what it does not wait for is as with `tasks`. In a dry run
    /// writes are shown, not made. Signals and `clear` are of all requests of the plugin.
    ///
    /// `clear` and the two `download_…` wait for the daemon; with `stop`, which is not for plugins, it
    /// throws `Error(not_supported)`.
    virtual DataRetriever& retriever() = 0;

    /// The ids of all events that this call is for, ascending: where the callback coalesces, those that
    /// became one, the event's own last; else that alone.
    virtual const std::vector<EventId>& merged() const = 0;

protected:
    ~Context() = default;
};

}  // namespace sg
