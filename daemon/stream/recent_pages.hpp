#pragma once
// Stretches kept for lanes that are a little behind.

#include <list>
#include <map>
#include <optional>

#include "event/event_source.hpp"

namespace sg::stream {

/// A bounded number of bytes; the stretch that was used longest ago goes first.
///
/// Threads: one.
class RecentPages {
public:
    explicit RecentPages(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    /// Keeps of it what follows the stretch that it begins in, and forgets those that begin in it.
    void add(event::Stretch stretch);

    /// The stretch that holds what follows `position`.
    std::optional<event::Stretch> find(EventId position);

    /// From here on; forgets what is too much now.
    void limit(std::size_t most_bytes);

    /// Forgets the stretches that end here or before.
    void drop_through(EventId id);

    /// Forgets the stretch that says `id` is missing.
    void forget(EventId id);

    void clear();

    std::size_t bytes() const noexcept { return bytes_; }

private:
    using Uses = std::list<EventId>;  // `after` of each, the latest used in front
    struct Kept {
        event::Stretch stretch;
        std::size_t bytes = 0;
        Uses::iterator use;
    };
    std::map<EventId, Kept> kept_;  // by `after`; disjoint
    Uses uses_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;

    std::map<EventId, Kept>::iterator holder_of(EventId id);  // of the one with after < id <= through
    void drop(std::map<EventId, Kept>::iterator which);
    void make_room();
};

}  // namespace sg::stream
