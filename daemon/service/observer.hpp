#pragma once
// What the daemon does, told as it happens: for the demo's view and for tests.

#include <string>

#include "event/event_source.hpp"
#include "plugins/generation.hpp"

namespace sg::service {

/// Threads:  all calls come on the loop; they must not block, and views are gone when they return.
/// Lifetime: outlives the service.
class Observer {
public:
    /// Events that were not known before, newest last; also those that turned up late in a gap.
    virtual void on_events(const event::EventPage& page) = 0;

    /// A callback ended. `behind`: events this plugin has been given or owes, and has not settled.
    virtual void on_outcome(const plugins::Generation& generation, const plugins::Outcome& outcome,
                            std::size_t behind) = 0;

    virtual void on_host_ready(const plugins::Generation& generation) = 0;
    virtual void on_host_end(const plugins::Generation& generation, const plugins::HostEnd& end) = 0;
    virtual void on_refused(const std::string& plugin, const Failure& why, bool will_retry) = 0;

    /// The site has answered for the first time; `level` is its newest event.
    virtual void on_site(EventId level) = 0;

protected:
    ~Observer() = default;
};

}  // namespace sg::service
