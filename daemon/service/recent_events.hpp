#pragma once
// The events that were handled last, and what became of them, for the status page.

#include <array>
#include <vector>

#include "admin/snapshot.hpp"
#include "dispatch/ended_call.hpp"

namespace sg::service {

/// A fixed number of places that are used in turn, and no lock.
///
/// Threads: the loop's only.
class RecentEvents {
public:
    static constexpr std::size_t places = 50;
    static constexpr std::size_t most_calls = 16;  ///< of one event; others are counted

    void add(const dispatch::EndedCall& call);

    /// The event whose first call ended last comes first.
    std::vector<admin::EventView> list() const;

private:
    admin::EventView& place_of(const event::EventRow& event);

    std::array<EventId, places> ids_{};  // apart, as they are looked through for each call
    std::array<admin::EventView, places> events_;
    std::size_t next_ = 0;
};

}  // namespace sg::service
