#pragma once
// The calls that ended last, small and many, for whoever asks what became of an event.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatch/ended_call.hpp"

namespace sg::service {

struct PastCall {
    std::string callback;
    UtcTime ended{};
    std::chrono::microseconds took{0};
    bool ok = true;
};

/// 32 bytes a call, in places that are used in turn; gone with the daemon.
///
/// Threads: the loop's only.
class CallHistory {
public:
    explicit CallHistory(std::size_t places = 65'536) : places_(places) {}

    void add(const dispatch::EndedCall& call);

    /// Those of this plugin and event, the oldest first. Looks at every place.
    std::vector<PastCall> of(const std::string& plugin, EventId event) const;

    /// `visit(plugin, callback, event, took, ok)` for the calls that ended last, the newest first, `most` of
    /// them.
    template <class Visit>
    void newest(std::size_t most, Visit visit) const {
        for (std::size_t i = 1; i <= std::min(most, calls_.size()); ++i) {
            const auto& call = calls_[(next_ + calls_.size() - i) % calls_.size()];
            const auto& names = lanes_[call.lane];
            visit(names.plugin, names.callbacks[call.callback], call.event,
                  std::chrono::microseconds(call.took), call.ok);
        }
    }

    /// When the oldest one that is remembered ended; nullopt: none was forgotten yet.
    std::optional<UtcTime> since() const;

private:
    struct Place {
        EventId event = 0;
        std::int64_t ended = 0;  // microseconds
        std::int64_t took = 0;
        std::uint32_t lane = 0;
        std::uint16_t callback = 0;
        bool ok = true;
    };
    struct Names {
        std::string plugin;
        std::vector<std::string> callbacks;
    };
    std::uint16_t number_of(Names& names, std::string_view callback);

    std::size_t places_;
    std::vector<Place> calls_;  // grows up to `places_`
    std::size_t next_ = 0;
    std::vector<Names> lanes_;
};

}  // namespace sg::service
