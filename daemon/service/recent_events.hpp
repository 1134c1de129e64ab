#pragma once
// The events that were handled last, and what became of them, for the status page.

#include <vector>

#include "admin/snapshot.hpp"
#include "service/call_history.hpp"

namespace sg::service {

/// Made of the calls that are remembered when somebody looks, so that a call costs next to nothing: what is
/// kept of an event is kept once for all its calls.
///
/// Threads: the loop's only. Lifetime: outlived by `history`.
class RecentEvents {
public:
    static constexpr std::size_t most_events = 50;
    static constexpr std::size_t most_calls = 16;       ///< of one event; others are counted
    static constexpr std::size_t most_looked = 10'000;  ///< calls, of all events together

    explicit RecentEvents(const CallHistory& history) : history_(history), kinds_(kinds) {}

    /// For each call that ends.
    void note(const dispatch::EndedCall& call) {
        if (call.followed_by >= most_events) return;  // it is none of the last
        auto& kind = kinds_[static_cast<std::size_t>(call.event.id) % kinds];
        if (kind.event != call.event.id) keep(kind, call.event);
    }

    /// The event whose last call ended last comes first.
    std::vector<admin::EventView> list() const;

private:
    static constexpr std::size_t kinds = 1024;  // more than are in hand at a time
    struct Kind {
        EventId event = 0;
        std::string type, attribute;
        std::chrono::sys_seconds created{};
    };
    static void keep(Kind& kind, const event::EventRow& event);

    const CallHistory& history_;
    std::vector<Kind> kinds_;
};

}  // namespace sg::service
