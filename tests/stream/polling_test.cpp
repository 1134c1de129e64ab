// The live poll: where it begins, when it asks, what it does with odd pages.

#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
using stream::EventQuery;
using stream::State;

TEST_CASE("C1 with empty state the stream begins at the newest event and hands on only what follows") {
    StreamFixture f;
    f.site.show(1, 100);
    f.start();
    CHECK(f.begun == std::vector<EventId>{100});
    f.stop();
    CHECK(f.reopen().highest_seen == 100);
}

TEST_CASE("C1 what comes after the first contact is handed on, and stored as seen") {
    StreamFixture f;
    f.site.show(1, 100);
    f.start();
    auto& lane = f.lanes.add(100);
    f.site.show(101);
    f.pass(1s);
    CHECK(lane.got == std::vector<EventId>{101});
    f.stop();
    CHECK(f.reopen().highest_seen == 101);
    CHECK(f.store->snapshot().gaps.empty());
}

TEST_CASE("a site without any event is begun at 0, and its first event is handed on") {
    StreamFixture f;
    f.start();
    CHECK(f.begun == std::vector<EventId>{0});
    auto& lane = f.lanes.add(0);
    f.site.show(1);
    f.pass(1s);
    CHECK(lane.got == std::vector<EventId>{1});
}

TEST_CASE("C2 what was added while stopped is handed on in order") {
    StreamFixture f;
    f.site.show(1, 105);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(f.begun == std::vector<EventId>{100});
    CHECK(lane.got == range(101, 105));
    CHECK(f.site.queries().front().after == 100);
}

TEST_CASE("C84 there is no pause after a full page, and one after a page that was not full") {
    StreamFixture f;
    f.site.show(1, 135);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(lane.got == range(101, 135));
    CHECK(f.live_queries() == 4);
    CHECK(f.stream->status().state == State::level);
    f.pass(900ms);
    CHECK(f.live_queries() == 4);
    f.pass(100ms);
    CHECK(f.live_queries() == 5);
}

TEST_CASE("C85 a page that is exactly full is followed by another query at once, then a pause") {
    StreamFixture f;
    f.site.show(1, 110);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(lane.got == range(101, 110));
    CHECK(f.live_queries() == 2);
    f.pass(900ms);
    CHECK(f.live_queries() == 2);
}

TEST_CASE("C87 the pause is at its floor while events come and grows to its ceiling while none do") {
    StreamFixture f;
    f.settings.interval = 500ms;
    f.settings.idle_interval = 5s;
    f.site.show(1, 100);
    f.start();
    auto& lane = f.lanes.add(100);
    auto polls = [&, last = std::size_t{0}]() mutable {
        const auto before = std::exchange(last, f.live_queries());
        return last - before;
    };
    polls();
    for (EventId id = 101; id <= 160; ++id) {  // a busy minute
        f.site.show(id);
        f.pass(1s);
    }
    CHECK(polls() == 120);
    f.pass(5s);
    CHECK(polls() == 10);
    f.pass(1min);
    polls();
    for (int minute = 0; minute < 9; ++minute) {
        f.pass(1min, 500ms);
        CHECK(polls() == 12);  // as many as shotgunEvents
    }
    f.site.show(161);
    f.pass(5s);
    CHECK(lane.got == range(101, 161));
    polls();
    f.pass(500ms);
    CHECK(polls() == 1);
}

TEST_CASE("C87 a hint is followed at once however long nothing came") {
    StreamFixture f;
    f.settings.idle_interval = 1h;
    f.site.show(1, 100);
    f.start();
    auto& lane = f.lanes.add(100);
    f.pass(3h, 1min);
    f.site.show(101);
    f.stream->poll_now();
    f.settle();
    CHECK(lane.got == range(101, 101));
}

TEST_CASE("C86 an event is handed on within the interval") {
    StreamFixture f;
    f.settings.interval = 300ms;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.pass(200ms);
    f.site.show(101);
    f.pass(100ms);
    CHECK(lane.got == range(101, 101));
}

TEST_CASE("a wake-up polls at once, and any number of them never closer together than the floor") {
    StreamFixture f;
    f.settings.interval = 60s;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.pass(5s, 1s);
    f.site.show(101);
    f.stream->poll_now();
    f.settle();
    CHECK(lane.got == range(101, 101));
    const auto before = f.live_queries();
    for (int ms = 0; ms < 1000; ms += 5) {
        f.stream->poll_now();
        f.clock.advance(5ms);
        f.settle();
    }
    CHECK(f.live_queries() - before <= 20);
    CHECK(f.live_queries() - before >= 15);
}

TEST_CASE("C98 senseless settings are clamped with a message, and never make a tight loop") {
    StreamFixture f;
    const auto number = GENERATE(-1, 0, 100'000);
    f.settings.page_size = number;
    f.settings.interval = f.settings.gap_interval = std::min(std::chrono::milliseconds(number), 0ms);
    f.settings.workers = 0;
    f.settings.escalate_after = 0;
    f.settings.refused_pause = 0ms;
    f.settings.backoff = {0ms, 0ms, 0ms};
    SECTION("when the site answers") {}
    SECTION("when it does not") { f.site.fail_always(Failure{Cause::network, "no route", 0, 0, {}}); }
    SECTION("when it refuses us") { f.site.fail_always(Failure{Cause::authentication, "no", 102, 0, {}}); }
    f.seen(100);
    f.start();
    for (int i = 0; i < 500; ++i) {
        f.clock.advance(2ms);
        f.settle();
    }
    CHECK(f.live_queries() <= 21);
    CHECK(f.live_queries() >= 1);
    CHECK(f.log.count("[SETTING-CLAMPED]") >= 6);
    for (const auto& query : f.site.queries()) CHECK((query.limit >= 1 && query.limit <= 500));
}

TEST_CASE("a stop ends a query that hangs within 100 ms, and nothing is told afterwards") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(50);
    f.site.show(51, 110);
    f.site.hold([](const EventQuery&) { return true; });
    f.start();
    REQUIRE(wait_for([&] { return f.site.holding() > 0; }));
    const auto begin = std::chrono::steady_clock::now();
    f.stream->stop();
    CHECK(std::chrono::steady_clock::now() - begin < 100ms);
    f.loop.run_ready();
    CHECK(lane.got.empty());
    CHECK(f.stream->status().state == State::stopped);
    f.stream->poll_now();
    f.stream->fetch(50, [](const event::Stretch&) { FAIL("told after the stop"); });
    f.clock.advance(10s);
    f.loop.run_ready();
    CHECK(f.live_queries() == 1);
}

TEST_CASE("pages shorter than asked for lose nothing, for the live poll and for lanes that are behind") {
    StreamFixture f;
    f.site.set_most_rows(3);
    f.site.show(1, 120);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    auto& behind = f.lanes.add(40);
    f.start();
    f.pass(10s, 1s);
    CHECK(lane.got == range(101, 120));
    CHECK(behind.got == range(41, 120));
}
