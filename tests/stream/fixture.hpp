#pragma once
// A stream over a scripted site and a real store, on a clock that the test drives.

#include <optional>

#include "capture_log.hpp"
#include "catch.hpp"
#include "lanes.hpp"
#include "scripted_site.hpp"
#include "stream/stream.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

using namespace std::chrono_literals;

inline std::vector<EventId> range(EventId first, EventId last) {
    std::vector<EventId> out;
    for (EventId id = first; id <= last; ++id) out.push_back(id);
    return out;
}

inline std::vector<EventId> sorted(std::vector<EventId> ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

struct StreamFixture {
    TempDir dir;
    ManualClock clock;
    CaptureLog log;
    Loop loop{clock};
    ScriptedSite site{clock};
    SystemClock disk_clock;  // the store's own pauses are not what is tested here
    std::unique_ptr<checkpoint::Store> store = open_store();
    Lanes lanes;
    stream::Settings settings;
    std::vector<EventId> begun;
    std::vector<Failure> given_up;
    std::optional<stream::Stream> stream;

    StreamFixture() {
        settings.page_size = 10;
        settings.interval = 1s;
        settings.idle_interval = 1s;
    }
    ~StreamFixture() {
        INFO(log.all());
        stream.reset();
        CHECK_FALSE(lanes.broken);
    }

    std::unique_ptr<checkpoint::Store> open_store() {
        checkpoint::Store::Options options;
        options.directory = dir / "state";
        auto opened = checkpoint::Store::open(options, disk_clock, log);
        REQUIRE(opened);
        return std::move(*opened);
    }
    /// Closes the store and opens it again: what it then has is what was durable.
    const checkpoint::Snapshot& reopen() {
        REQUIRE(store->flush(10s));
        store.reset();
        store = open_store();
        return store->snapshot();
    }
    /// As if highest_seen had been stored by an earlier run.
    void seen(EventId highest) {
        checkpoint::Batch batch;
        batch.set_highest_seen(highest);
        store->apply(std::move(batch), checkpoint::Urgency::settled);
        reopen();
    }
    void start() {
        stream::Listener listener;
        listener.on_begin = [this](EventId level) {
            begun.push_back(level);
            lanes.pull_all();
        };
        listener.on_give_up = [this](const Failure& why) { given_up.push_back(why); };
        stream.emplace(settings, loop, site, *store, lanes, log, std::move(listener));
        lanes.source = &*stream;
        stream->start();
        settle();
    }
    void stop() {
        stream.reset();
        for (auto& lane : lanes.lanes) lane.waiting = false;
    }
    /// Runs until every query that was sent has come back, but those held back.
    void settle() {
        const bool settled = wait_for([&] {
            while (loop.run_ready() != 0) {
            }
            const auto now = stream->status();
            const auto sent = now.polls + now.lane_queries + now.gap_queries;
            return sent == now.answers + now.failures + site.holding() && loop.run_ready() == 0;
        });
        if (!settled) FAIL("the stream never came to rest\n" << log.all());
    }
    /// Runs until the condition holds, whatever is held back.
    template <class Condition>
    bool loop_until(Condition condition) {
        return wait_for([&] {
            loop.run_ready();
            return condition();
        });
    }
    /// Moves the clock in steps, as time passes.
    void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = 100ms) {
        for (; time > 0ms; time -= step) {
            clock.advance(std::min(time, step));
            settle();
        }
    }
    std::size_t live_queries() const { return stream->status().polls; }
};

}  // namespace sg::test
