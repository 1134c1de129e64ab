#pragma once
// One loaded build of a plugin in one host, as the daemon's loop sees it.

#include <chrono>
#include <memory>
#include <optional>
#include <sg/event_filter.hpp>
#include <sg/logger.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "event/conditions.hpp"
#include "host/link/messages.hpp"
#include "util/result.hpp"

namespace sg::plugins {

/// A callback as it was registered.
struct CallbackInfo {
    std::string name;
    EventFilter filter;
    OnFailure on_failure = OnFailure::retry;
    event::Conditions conditions{};     ///< what else must hold of an event
    std::vector<std::string> fields{};  ///< that its events are to have besides the usual ones
    host::Gathering gathering{};        ///< how long further events are waited for
    int concurrency = 1;                ///< calls at once

    bool wants(const Event& event) const {
        return filter.matches(event.type(), event.attribute()) && conditions.hold(event);
    }
};

/// They cross the link as they are: see there.
using host::Deliver;
using host::Delivery;
using host::Outcome;

/// A callback that was running when its host died.
struct Running {
    EventId event = 0;
    std::uint16_t callback = 0;

    friend bool operator==(const Running&, const Running&) = default;
};

/// Why a host is no more.
struct HostEnd {
    std::string reason;  ///< "killed by SIGSEGV", "exited with 3", "passed its hard deadline of 10 min"
    std::vector<Running> running;  ///< empty: it died with nothing in hand
    std::string last_words;        ///< the end of its standard error
};

/// A ready or serving generation. Loop thread only.
///
/// Events are run one at a time in the order given, the callbacks of one event in ascending
/// order, each whatever became of the one before. Every callback of every event gets exactly
/// one outcome, unless the host ends: then outcomes that were reached come first, and
/// `GenerationOwner::on_end` names what was running; the rest was not started.
class Generation {
public:
    virtual ~Generation() = default;

    virtual const std::string& plugin() const noexcept = 0;
    virtual std::uint64_t number() const noexcept = 0;
    virtual const std::string& build() const noexcept = 0;  ///< content hash of the library, hex
    virtual const std::vector<CallbackInfo>& callbacks() const noexcept = 0;
    virtual std::string_view file() const noexcept { return {}; }  ///< the plugin's, in its collection

    /// Whom alerts about it go to, as it registered: JSON text of "all", "none" or a list of addresses.
    virtual const std::string& alerts() const noexcept = 0;

    /// Of the plugin's own lines, as it registered; none: as configured.
    virtual std::optional<LogLevel> log_level() const noexcept { return std::nullopt; }

    /// Hands over events; never blocks. What the host does not read yet is buffered here, so the
    /// caller bounds what it has outstanding.
    virtual void deliver(Deliver batch) = 0;
};

/// The dispatcher, as the plugin set sees it. Loop thread only.
class GenerationOwner {
public:
    /// A generation is ready to serve. It replaces the plugin's earlier one between two events:
    /// from now on deliver to this one. The earlier one, if any, has ended (`on_end` came first) or
    /// is drained by the plugin set; its outcomes still arrive through `on_outcomes`.
    virtual void on_ready(std::shared_ptr<Generation> generation) = 0;

    virtual void on_outcomes(Generation& generation, std::vector<Outcome> outcomes) = 0;

    /// The host is gone. The plugin set starts another one by itself, after a back-off.
    virtual void on_end(Generation& generation, const HostEnd& end) = 0;

    /// The plugin cannot be loaded now; `will_retry` says whether it is tried again by itself.
    virtual void on_refused(const std::string& plugin, const Failure& why, bool will_retry) = 0;

protected:
    ~GenerationOwner() = default;
};

}  // namespace sg::plugins
