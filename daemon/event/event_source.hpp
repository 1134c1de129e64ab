#pragma once
// Where a lane pulls events from, and what the source tells the lanes.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "event/event_page.hpp"

namespace sg::checkpoint {
class Batch;
}

namespace sg::event {

/// Everything the site showed in the ids above `after` and up to `through`: rows not in `page`
/// that lie between are missing there (an open gap, or they never happened).
struct Stretch {
    EventId after = 0;
    EventId through = 0;
    PagePtr page;
};

/// Lanes pull; the source fetches. Loop thread only.
///
/// What turns up late is in every stretch handed out after `EventSink::on_late` told of it, also
/// in those at hand; a lane that was waiting for a `fetch` at that moment allows for it by itself.
class EventSource {
public:
    /// The stretch that begins right after `position`, if it is at hand (recent live pages).
    /// A stretch may begin below `position`: skip rows up to it.
    virtual std::optional<Stretch> at_hand(EventId position) = 0;

    /// Fetches a stretch after `position` from the site and hands it to `ready` on the loop, later,
    /// once; retried through outages. Equal wishes are fetched once. Nothing newer than the last
    /// live page is ever handed out here, so that gaps are seen first by the live poll.
    virtual void fetch(EventId position, std::function<void(Stretch)> ready) = 0;

    /// The highest id handed to `EventSink::on_live`; a lane at it is level.
    virtual EventId level() const = 0;

    /// The lowest missing id above `position` that is still waited for, if any.
    virtual std::optional<EventId> awaited(EventId /*position*/) const { return std::nullopt; }

    /// Rows are to have these fields besides the usual ones: in every stretch handed out from now on, also in
    /// what is late from now on. Fields add up.
    virtual void want_fields(const std::vector<std::string>& /*fields*/) {}

    /// The newest id that the site has now, which may be above `level()` after a long absence. `ready` is
    /// called once, at once where that is known, else on the loop when the site has told.
    virtual void newest(std::function<void(EventId)> ready) { ready(level()); }

protected:
    ~EventSource() = default;
};

/// How late a row is that had been missing.
enum class Late {
    awaited,   ///< its gap was open
    given_up,  ///< its gap was closed: plugins that want strict order are past it for good
};

/// What the dispatcher implements. Loop thread only.
class EventSink {
public:
    /// Newer events than any before, in order: `live.after` is the `through` of the last one.
    /// What the source has to store about them (gaps, the highest id) is already in the store.
    virtual void on_live(const Stretch& live) = 0;

    /// Rows that turned up inside open gaps, or inside such as were given up and are still watched. For each
    /// plugin already past a row the sink adds it to `batch` as pending; the source adds the shrinking of the
    /// gap and commits both as one before it returns to the loop.
    /// Plugins not past it meet the row in their own stretch.
    virtual void on_late(const PagePtr& rows, checkpoint::Batch& batch, Late how) = 0;

    /// Every lane that takes events now has taken what it wants up to here: what was fetched of that need not
    /// be kept.
    virtual EventId taken_through() const { return 0; }

    /// Some ids are no longer waited for; told later, on the loop.
    virtual void on_given_up() {}

protected:
    ~EventSink() = default;
};

}  // namespace sg::event
