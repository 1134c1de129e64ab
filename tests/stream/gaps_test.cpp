// Missing ids.

#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
using stream::EventQuery;

namespace {

std::size_t gap_queries(const StreamFixture& f) { return f.stream->status().gap_queries; }

}  // namespace

TEST_CASE("C46 a late row is delivered and nothing else again") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(101, 104);
    f.site.show(106, 110);
    f.pass(1s);
    CHECK(lane.got == std::vector<EventId>{101, 102, 103, 104, 106, 107, 108, 109, 110});
    CHECK(f.stream->status().open_gaps == 1);
    CHECK(f.log.count("[GAP-OPENED]") == 1);
    f.pass(5s);
    f.site.show(105);
    f.pass(2s);
    CHECK(lane.late == std::vector<EventId>{105});
    f.site.show(111);
    f.pass(1s);
    CHECK(lane.got == std::vector<EventId>{101, 102, 103, 104, 106, 107, 108, 109, 110, 105, 111});
    CHECK(f.stream->status().open_gaps == 0);
    CHECK(f.log.count("[GAP-FILLED]") == 1);
    // The late row and the end of its gap are one transaction.
    f.stop();
    const auto& stored = f.reopen();
    CHECK(stored.gaps.empty());
    REQUIRE(stored.pending.size() == 1);
    CHECK(stored.pending[0].event == 105);
}

TEST_CASE("C47 a hole holds up nothing behind it, and is asked for without a tight loop") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(102, 140);
    f.pass(1s);
    CHECK(lane.got == range(102, 140));
    f.pass(10s);
    CHECK(f.site.queries().size() <= 30);
    CHECK(gap_queries(f) >= 8);
}

TEST_CASE("C48 a gap is closed after its time with exactly one warning, and leaves no trace in the store") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(101, 104);
    f.site.show(108, 110);
    f.site.show(113);
    f.pass(1s);
    CHECK(f.stream->status().open_gaps == 2);
    f.pass(100s, 1s);
    f.site.show(106);  // splits the first one
    f.pass(198s, 1s);
    CHECK(f.log.count("[GAP-CLOSED]") == 0);
    CHECK(f.stream->status().open_gaps == 3);
    f.pass(4s, 1s);
    CHECK(f.log.count("[GAP-CLOSED]") == 2);
    CHECK(f.log.count("first=105 last=107 missing=2") == 1);
    CHECK(f.log.count("first=111 last=112 missing=2") == 1);
    CHECK(f.stream->status().open_gaps == 0);
    CHECK(f.stream->status().gaps_closed == 2);
    f.pass(60s, 1s);
    CHECK(f.log.count("[GAP-CLOSED]") == 2);
    f.site.show(105);  // too late now, but for the tail watch
    f.pass(5s, 1s);
    CHECK(sorted(lane.got) == std::vector<EventId>{101, 102, 103, 104, 106, 108, 109, 110, 113});
    f.stop();
    CHECK(f.reopen().gaps.empty());
}

TEST_CASE("C50 holes that are older than the gap timeout are passed over with one line each") {
    StreamFixture f;
    f.settings.page_size = 500;
    const auto yesterday = f.clock.utc() - 24h;
    std::vector<EventId> expected;
    for (EventId id = 101; id <= 5100; ++id) {
        if (id % 1000 == 7 || id % 1000 == 8) continue;
        f.site.show(id, yesterday);
        expected.push_back(id);
    }
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(lane.got == expected);
    CHECK(f.stream->status().open_gaps == 0);
    CHECK(f.log.count("[GAP-OLD]") == 5);
    CHECK(f.log.count("first=1007 last=1008 missing=2") == 1);
    CHECK(f.live_queries() == 10);
    CHECK(gap_queries(f) == 0);
}

TEST_CASE("C51 a row a million ids higher opens one gap with one line") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(1'000'101);
    f.pass(1s);
    f.site.show(1'000'102, 1'000'111);
    f.pass(2s);
    CHECK(lane.got == range(1'000'101, 1'000'111));
    CHECK(f.log.count("[GAP-OPENED]") == 1);
    f.site.show(500'000);
    f.pass(2s);
    CHECK(lane.late == std::vector<EventId>{500'000});
    f.stop();
    CHECK(f.reopen().gaps.size() == 2);
}

TEST_CASE("C53 filling one hole leaves the deadline of the other, and repeats nothing") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    for (const EventId id : {101, 103, 105}) f.site.show(id);
    f.pass(1s);
    REQUIRE(f.store->flush(10s));
    f.pass(60s, 1s);
    f.site.show(102);
    f.pass(3s, 1s);
    CHECK(lane.got == std::vector<EventId>{101, 103, 105, 102});
    f.pass(230s, 1s);
    CHECK(f.log.count("[GAP-CLOSED]") == 0);
    f.pass(12s, 1s);
    CHECK(f.log.count("first=104 last=104") == 1);
    CHECK(f.log.count("[GAP-CLOSED]") == 1);
}

TEST_CASE("C55 a gap outlives the daemon, and its row is delivered once") {
    StreamFixture f;
    f.seen(100);
    f.lanes.add(100);
    f.start();
    f.site.show(101, 104);
    f.site.show(106, 110);
    f.pass(1s);
    f.stop();
    REQUIRE(f.reopen().gaps.size() == 1);
    CHECK(f.store->snapshot().gaps[0].first == 105);
    auto& lane = f.lanes.lanes[0];
    SECTION("when it appears after the restart") {
        f.start();
        f.pass(3s);
        f.site.show(105);
    }
    SECTION("when it appeared long ago, while the daemon was stopped") {
        f.site.show(105);
        f.clock.advance(24h);
        f.start();
    }
    f.pass(5s);
    CHECK(lane.late == std::vector<EventId>{105});
    CHECK(f.stream->status().open_gaps == 0);
}

TEST_CASE("a gap that is overdue is closed by an answer, never by the clock alone") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(102);
    f.pass(1s);
    f.site.fail_always(Failure{Cause::network, "unplugged", 0, 0, {}});
    f.pass(1000s, 1s);
    CHECK(f.stream->status().open_gaps == 1);
    f.site.show(101);
    f.site.fail_always({});
    f.pass(120s, 1s);
    CHECK(lane.got == std::vector<EventId>{102, 101});
    CHECK(f.log.count("[GAP-CLOSED]") == 0);
}

TEST_CASE("C58 a wall clock that is ten minutes fast closes no young hole") {
    StreamFixture f;
    f.site.set_clock_ahead(-600s);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(101, f.clock.utc() - 600s);
    f.site.show(103, f.clock.utc() - 600s);
    f.pass(1s);
    CHECK(f.stream->status().open_gaps == 1);
    CHECK(f.log.count("[CLOCK-SKEW]") == 1);
    f.site.show(102, f.clock.utc() - 600s);
    f.pass(2s);
    CHECK(lane.got == std::vector<EventId>{101, 103, 102});
}

TEST_CASE("C59 a wall clock that is ten minutes slow leaves no day-old hole open") {
    StreamFixture f;
    f.site.set_clock_ahead(600s);
    const auto yesterday = f.clock.utc() + 600s - 24h;
    for (EventId id = 101; id <= 120; ++id)
        if (id % 5 != 0) f.site.show(id, yesterday);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(lane.got.size() == 16);
    CHECK(f.stream->status().open_gaps == 0);
    CHECK(f.log.count("[GAP-OLD]") == 3);  // 120 has no row behind it that would show it missing
}

TEST_CASE("C60 a wall clock that is set closes no young hole early and keeps none open longer") {
    const auto jump = GENERATE(60min, -60min, 13 * 60min, -30min, 365 * 24 * 60min);
    const bool comes = GENERATE(true, false);
    INFO(jump.count() << " min, " << (comes ? "filled" : "never filled"));
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(101);
    f.site.show(103);
    f.pass(2s);
    REQUIRE(f.stream->status().open_gaps == 1);
    const auto before = f.clock.utc();
    f.clock.set_utc(before + jump);
    f.site.set_clock_ahead(std::chrono::floor<std::chrono::seconds>(before - f.clock.utc()));
    f.pass(295s, 1s);
    CHECK(f.stream->status().open_gaps == 1);
    if (comes) f.site.show(102);
    f.pass(5s);
    CHECK(f.stream->status().open_gaps == 0);
    CHECK(lane.got == (comes ? std::vector<EventId>{101, 103, 102} : std::vector<EventId>{101, 103}));
    CHECK(f.log.count("[GAP-CLOSED]") == (comes ? 0 : 1));
}

TEST_CASE("C61 a Date header that is a day off, or none, closes no hole early") {
    StreamFixture f;
    SECTION("a day ahead") { f.site.set_clock_ahead(24h); }
    SECTION("a day behind") { f.site.set_clock_ahead(-24h); }
    SECTION("none") { f.site.set_clock_ahead({}); }
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(101);
    f.site.show(103);
    f.pass(250s, 1s);
    f.clock.set_utc(f.clock.utc() + 1h);  // nor does an administrator
    f.pass(40s, 1s);
    CHECK(f.stream->status().open_gaps == 1);
    CHECK(f.log.count("[CLOCK-SKEW]") <= 1);
    f.site.show(102);
    f.pass(2s);
    CHECK(lane.got == std::vector<EventId>{101, 103, 102});
}

TEST_CASE("C52 ten thousand young ids, every second one late, are all delivered once within the ceilings") {
    StreamFixture f;
    f.settings.page_size = 500;
    f.settings.most_gaps = 1000;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    for (EventId id = 101; id <= 10'100; id += 2) f.site.show(id);
    f.pass(1s);
    CHECK(f.stream->status().open_gaps <= 1500);
    for (EventId id = 102; id <= 10'100; id += 2) f.site.show(id);
    std::size_t most = 0;
    for (int i = 0; i < 120 && lane.got.size() < 10'000; ++i) {
        const auto before = gap_queries(f);
        f.pass(1s, 500ms);
        most = std::max(most, f.stream->status().open_gaps);
        CHECK(gap_queries(f) - before <= 2 * f.settings.gap_queries);
    }
    CHECK(most <= 1500);
    CHECK(sorted(lane.got) == range(101, 10'100));
    CHECK(f.log.count("[GAPS-MANY]") >= 1);
}

TEST_CASE("C57 rows made visible one by one from the highest id down are all delivered once") {
    StreamFixture f;
    f.settings.page_size = 500;
    f.settings.gap_timeout = 20min;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    for (EventId id = 600; id > 100; --id) {
        f.site.show(id);
        f.pass(1s, 500ms);
    }
    CHECK(sorted(lane.got) == range(101, 600));
}

TEST_CASE("a lane that is behind opens gaps below the first contact where rows are young") {
    StreamFixture f;
    f.site.show(1, 50);
    f.site.show(55, 60);
    f.start();  // first contact at 60: nobody has looked below
    auto& early = f.lanes.add(0);
    auto& latest = f.lanes.add(60);
    f.lanes.pull_all();
    f.pass(3s);
    CHECK(early.position == 60);
    CHECK(f.stream->status().open_gaps == 1);
    f.site.show(53);
    f.pass(2s);
    CHECK(early.late == std::vector<EventId>{53});
    CHECK(latest.got.empty());
}
