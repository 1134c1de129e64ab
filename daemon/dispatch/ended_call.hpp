#pragma once
// A call of a callback that has ended, for whoever writes it down.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "event/event_page.hpp"
#include "util/clock.hpp"

namespace sg::dispatch {

/// Good until the function that is told of it returns.
struct EndedCall {
    const std::string& plugin;
    std::size_t lane;  ///< the plugin's, small and the same for as long as the daemon runs
    std::string_view callback;
    const event::EventRow& event;
    UtcTime ended;  ///< about: when its outcome was taken, which is within milliseconds
    std::chrono::microseconds took;
    bool ok;
    bool first;               ///< the event was not tried before, nor held until more was known of it
    std::size_t followed_by;  ///< calls on at least so many other events of this plugin ended right after it
};

}  // namespace sg::dispatch
