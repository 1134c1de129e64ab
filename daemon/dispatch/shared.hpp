#pragma once
// What all lanes of a dispatcher use.

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <sg/logger.hpp>

#include "checkpoint/store.hpp"
#include "dispatch/dead_letters.hpp"
#include "dispatch/ended_call.hpp"
#include "dispatch/filter_index.hpp"
#include "dispatch/settings.hpp"
#include "dispatch/turns.hpp"
#include "dispatch/unsaved_meter.hpp"
#include "event/event_source.hpp"
#include "util/loop.hpp"

namespace sg::dispatch {

/// Loop thread only.
struct Shared {
    Shared(Settings s, Loop& l, checkpoint::Store& c, Logger& g)
        : settings(std::move(s)),
          loop(l),
          store(c),
          log(g),
          meter(c),
          queue_of_turns(settings.ordered_collections),
          dead_letters(settings.dead_letters, c.snapshot(), g) {}

    Settings settings;
    Loop& loop;
    checkpoint::Store& store;
    Logger& log;
    event::EventSource* source = nullptr;  // none: the site has not answered yet
    FilterIndex index;
    UnsavedMeter meter;
    Turns queue_of_turns;
    DeadLetters dead_letters;
    std::function<void(const EndedCall&)> on_ended;  // empty: nobody wants to know
    bool gathering = false;  // plugins are being loaded that may begin where others do
    bool draining = false;
    bool paused = false;  // too much is not on disk
    std::mt19937_64 random{std::random_device{}()};

    Clock::Time now() const { return loop.clock().now(); }
    checkpoint::Instant utc() const {
        return std::chrono::floor<std::chrono::milliseconds>(loop.clock().utc());
    }

    /// What the lanes want of the page; the last few pages are remembered, since lanes share them.
    const PageMatches& matches(const event::PagePtr& page) {
        const auto is_it = [&](const auto& known) {
            return known && known->version == index.version() && !known->page.owner_before(page) &&
                   !page.owner_before(known->page);
        };
        const auto found = std::find_if(known_.begin(), known_.end(), is_it);
        if (found != known_.end()) return (*found)->matches;
        auto& place = known_[next_known_++ % known_.size()];
        place.emplace(Known{page, index.version(), PageMatches(index, *page)});
        return place->matches;
    }

private:
    struct Known {
        std::weak_ptr<const event::EventPage> page;  // a page that is gone is like no other
        std::uint64_t version;
        PageMatches matches;
    };
    std::array<std::optional<Known>, 16> known_;
    std::size_t next_known_ = 0;
};

}  // namespace sg::dispatch
