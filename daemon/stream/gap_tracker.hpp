#pragma once
// The ids that are missing and awaited.

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "checkpoint/store.hpp"
#include "event/event_page.hpp"
#include "stream/event_reader.hpp"
#include "util/clock.hpp"

namespace sg::stream {

/// A hole between two rows (or below the first), and when the row that showed it was made.
struct Hole {
    IdRange ids;
    std::chrono::sys_seconds next_created{};  ///< zero: unknown
};

/// The ids above `after` that no row has, each hole ending at a row at or below `through`.
std::vector<Hole> holes_of(EventId after, EventId through, std::span<const event::EventRow> rows);

/// Missing ids as disjoint ranges, in memory as in the store: every change is also put into a batch.
///
/// A range never holds an id whose row was seen: merging neighbours to save room would swallow the
/// rows between them, which would then be taken for late and be delivered twice. So a bound on their
/// number is kept by not opening more, and neighbours are only joined into one query.
///
/// Threads: one.
class GapTracker {
public:
    enum class Of { gaps, watched };  ///< which rows of the store they are
    explicit GapTracker(Of of) : of_(of) {}

    /// What the store had. `settle_deadlines` follows once the site's time is known.
    void load(const std::vector<checkpoint::Gap>& gaps);
    void settle_deadlines(checkpoint::Instant site_now, Clock::Time now, Clock::Duration at_most);

    std::size_t size() const noexcept { return gaps_.size(); }
    bool contains(EventId id) const;

    /// The parts of `range` that are not open.
    std::vector<IdRange> unknown_in(IdRange range) const;

    /// `range` must not overlap any open one.
    void open(IdRange range, checkpoint::Instant deadline, Clock::Time due, checkpoint::Batch& batch);

    /// No longer kept: the range with the lowest ids.
    void forget_lowest(checkpoint::Batch& batch);

    /// The row of `id` appeared: shrinks or splits its gap. False if the id is in none.
    bool take(EventId id, checkpoint::Batch& batch);

    /// Up to `most` ranges, beginning with the first that ends at or above `from`.
    std::vector<IdRange> some(EventId from, std::size_t most) const;

    /// A gap that was closed: what remained of one that was opened as a whole.
    struct Closed {
        EventId first = 0;
        EventId last = 0;
        std::uint64_t missing = 0;
        std::vector<IdRange> parts{};  ///< what of it was still missing
    };

    /// An answer asked for at `asked` showed everything it would ever show inside `ranges`, and what
    /// it showed was taken: closes what lies inside and was due by then.
    std::vector<Closed> close(std::span<const IdRange> ranges, Clock::Time asked, checkpoint::Batch& batch);

private:
    struct Open {
        EventId last = 0;
        checkpoint::Instant deadline{};
        std::optional<Clock::Time> due;  ///< the same on our clock; nullopt: not known yet, so not due
        EventId origin = 0;              ///< first id when it was opened; the pieces of a split gap share it
    };
    Of of_;
    std::map<EventId, Open> gaps_;  // by first id

    void put(EventId first, const Open& gap, checkpoint::Batch& batch);
    void erase(EventId first, checkpoint::Batch& batch) const;
    std::map<EventId, Open>::const_iterator at_or_after(EventId id) const;
};

}  // namespace sg::stream
