#pragma once
// What a person may tell a plugin's lane.

#include <functional>
#include <optional>
#include <sg/types.hpp>
#include <string>

#include "util/result.hpp"

namespace sg::dispatch {

struct Steering {
    enum class Act {
        pause,   ///< hands out nothing more, also after a restart, until `resume`; events wait
        resume,  ///< goes on after the last event that was handed out
        seek,    ///< goes on with `next`; what is owed of events below stays owed
        skip,    ///< lets go of the event that the lane stands at
        retry,   ///< what failed is tried again at once, and not after its pause
    };
    Act act = Act::pause;
    std::string plugin{};
    std::string caller{};           ///< who asks, for the log and for whoever looks
    std::optional<EventId> next{};  ///< `seek`: this event, or the first above it; nullopt: after the newest
};

/// What came of it.
struct Steered {
    std::string text;   ///< for people
    EventId next = 0;   ///< `seek`: what comes next has this id or a higher one
    EventId first = 0;  ///< ids passed over, both ends included; 0: none
    EventId last = 0;
    EventId again_first = 0;  ///< ids handed out once more; 0: none
    EventId again_last = 0;
};

/// Told once, on the loop, when it is durable. Errors: `invalid`, where it makes no sense as things are;
/// `internal`, where the disk refuses: it counts now, and may be forgotten.
using SteeringDone = std::function<void(Result<Steered>)>;

}  // namespace sg::dispatch
