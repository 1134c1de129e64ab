// Gaps that were given up, and are looked for a while longer.

#include "fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

struct TailFixture : StreamFixture {
    TailFixture() {
        settings.gap_timeout = 10s;
        settings.gap_watch = 1h;
        settings.watch_interval = 60s;
        seen(100);
    }
    /// 105 to 107 are missing for longer than is waited for.
    Lanes::Lane& give_up() {
        auto& lane = lanes.add(100);
        start();
        site.show(101, 104);
        site.show(108, 110);
        pass(15s, 1s);
        CHECK(stream->status().gaps_closed == 1);
        CHECK(stream->status().watched == 1);
        return lane;
    }
};

}  // namespace

TEST_CASE("C49 a row that comes after its gap was given up is delivered once, with one warning") {
    TailFixture f;
    auto& lane = f.give_up();
    f.site.show(106);
    f.pass(70s, 1s);
    CHECK(lane.late == std::vector<EventId>{106});
    CHECK(f.lanes.very_late == 1);
    CHECK(f.log.count("[GAP-FILLED-LATE]") == 1);
    CHECK(f.stream->status().very_late == 1);
    f.pass(200s, 1s);
    CHECK(lane.got.size() == 8);
    // What is left of the gap is still looked for.
    f.site.show(105);
    f.pass(70s, 1s);
    CHECK(lane.late == std::vector<EventId>{106, 105});
    f.stop();
    const auto& stored = f.reopen();
    CHECK(stored.gaps.empty());
    REQUIRE(stored.watched.size() == 1);
    CHECK(stored.watched[0].first == 107);
    CHECK(stored.pending.size() == 2);
}

TEST_CASE("C49 what was given up is looked for seldom, and after its time no more") {
    TailFixture f;
    auto& lane = f.give_up();
    const auto before = f.stream->status().gap_queries;
    f.pass(30min, 1s);
    CHECK(f.stream->status().gap_queries - before <= 31);
    CHECK(f.stream->status().gap_queries - before >= 25);
    f.pass(32min, 1s);
    CHECK(f.stream->status().watched == 0);
    f.site.show(105, 107);
    f.pass(5min, 1s);
    CHECK(lane.got.size() == 7);
    f.stop();
    CHECK(f.reopen().watched.empty());
}

TEST_CASE("C49 what was given up is looked for by the next daemon too, and delivered once") {
    TailFixture f;
    auto& lane = f.give_up();
    f.stop();
    f.reopen();
    f.start();
    CHECK(f.stream->status().watched == 1);
    f.site.show(105);
    f.pass(70s, 1s);
    CHECK(lane.late == std::vector<EventId>{105});
    f.stop();
    f.reopen();
    f.start();
    f.pass(130s, 1s);
    CHECK(lane.late == std::vector<EventId>{105});
}

TEST_CASE("C49 holes that were old when they were seen are watched, the oldest ones not") {
    TailFixture f;
    const auto now = f.clock.utc();
    for (EventId id = 101; id <= 110; ++id)
        if (id != 103 && id != 107) f.site.show(id, id < 105 ? now - 2h : now - 10min);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(lane.position == 110);
    CHECK(f.log.count("[GAP-OLD]") == 2);
    CHECK(f.stream->status().watched == 1);
    f.site.show(103);
    f.site.show(107);
    f.pass(70s, 1s);
    CHECK(lane.late == std::vector<EventId>{107});
}

TEST_CASE("C49 a lane that is behind meets a very late row in its place, and the others get it late") {
    TailFixture f;
    auto& lane = f.give_up();
    f.site.show(106);
    auto& behind = f.lanes.add(100);
    f.lanes.pull_all();  // its pages are at hand, and do not hold the row
    f.pass(130s, 1s);
    auto& last = f.lanes.add(100);
    f.lanes.pull_all();
    f.pass(130s, 1s);
    CHECK(lane.late == std::vector<EventId>{106});
    CHECK(sorted(behind.got) == std::vector<EventId>{101, 102, 103, 104, 106, 108, 109, 110});
    CHECK(last.got == std::vector<EventId>{101, 102, 103, 104, 106, 108, 109, 110});
    CHECK(last.late.empty());
}

TEST_CASE("C49 of too many gaps that were given up the lowest are forgotten, with one warning") {
    TailFixture f;
    f.settings.most_watched = 3;
    auto& lane = f.lanes.add(100);
    f.start();
    for (EventId id = 102; id <= 120; id += 2) f.site.show(id);
    f.pass(15s, 1s);
    CHECK(f.stream->status().watched == 3);
    CHECK(f.log.count("[WATCH-FULL]") == 1);
    f.site.show(101);
    f.site.show(119);
    f.pass(70s, 1s);
    CHECK(lane.late == std::vector<EventId>{119});
}
