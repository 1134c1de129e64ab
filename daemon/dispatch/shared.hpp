#pragma once
// What all lanes of a dispatcher use.

#include <array>
#include <optional>
#include <random>
#include <sg/logger.hpp>

#include "checkpoint/store.hpp"
#include "dispatch/dead_letters.hpp"
#include "dispatch/filter_index.hpp"
#include "dispatch/settings.hpp"
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
          dead_letters(settings.dead_letters, c.snapshot(), g) {}

    Settings settings;
    Loop& loop;
    checkpoint::Store& store;
    Logger& log;
    event::EventSource* source = nullptr;  // none: the site has not answered yet
    FilterIndex index;
    UnsavedMeter meter;
    DeadLetters dead_letters;
    bool draining = false;
    bool paused = false;  // too much is not on disk
    std::mt19937_64 random{std::random_device{}()};

    Clock::Time now() const { return loop.clock().now(); }
    checkpoint::Instant utc() const {
        return std::chrono::floor<std::chrono::milliseconds>(loop.clock().utc());
    }

    /// What the lanes want of the page; the last few pages are remembered, since lanes share them.
    const PageMatches& matches(const event::PagePtr& page) {
        for (auto& known : known_)
            if (known && known->page == page && known->version == index.version()) return known->matches;
        auto& place = known_[next_known_++ % known_.size()];
        place.emplace(Known{page, index.version(), PageMatches(index, *page)});
        return place->matches;
    }

private:
    struct Known {
        event::PagePtr page;
        std::uint64_t version;
        PageMatches matches;
    };
    std::array<std::optional<Known>, 4> known_;
    std::size_t next_known_ = 0;
};

}  // namespace sg::dispatch
