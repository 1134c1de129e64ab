// Several pages at once, while there is much to catch up with.

#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
using stream::EventQuery;

namespace {

bool any_page(const EventQuery& query) { return query.kind == EventQuery::Kind::after; }

/// A site that takes its time: how often something had to be waited for until `done`.
int rounds(StreamFixture& f, const std::function<bool()>& done) {
    int count = 0;
    for (; !done() && count < 1000; ++count) {
        f.site.let_go();
        f.site.hold(any_page);
        f.pass(100ms);
    }
    f.site.let_go();
    f.settle();
    return count;
}

/// Of 4,000 events, 10 a page, missed by a daemon that was away.
int rounds_of_live_poll(std::size_t queries) {
    StreamFixture f;
    f.settings.catch_up_queries = queries;
    f.site.show(1, 4100);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.site.hold(any_page);
    f.start();
    const int count = rounds(f, [&] { return f.stream->level() == 4100; });
    CHECK(lane.got == range(101, 4100));
    CHECK(f.stream->status().open_gaps == 0);
    return count;
}

/// Of one plugin that is behind while the others are level.
int rounds_of_lane(std::size_t queries) {
    StreamFixture f;
    f.settings.catch_up_queries = queries;
    f.settings.workers = std::max<std::size_t>(2, queries);
    f.settings.interval = 1h;  // no live poll among what is counted
    f.settings.idle_interval = 1h;
    f.site.show(1, 4000);
    f.seen(4000);
    f.start();
    auto& lane = f.lanes.add(0);
    f.site.hold(any_page);
    f.lanes.pull_all();
    f.settle();
    const int count = rounds(f, [&] { return lane.position == 4000; });
    CHECK(lane.got == range(1, 4000));
    // Hardly a page is asked for twice.
    CHECK(f.stream->status().lane_queries <= 410);
    return count;
}

}  // namespace

TEST_CASE("with six queries at once what was missed takes less than a quarter of the time") {
    const int one = rounds_of_live_poll(1), six = rounds_of_live_poll(6);
    INFO("one at a time: " << one << ", six: " << six);
    CHECK(one >= 400);
    CHECK(six * 4 < one);
}

TEST_CASE("with six queries at once a plugin that is behind takes less than a quarter of the time") {
    const int one = rounds_of_lane(1), six = rounds_of_lane(6);
    INFO("one at a time: " << one << ", six: " << six);
    CHECK(one >= 399);
    CHECK(six * 4 < one);
}

TEST_CASE("pages that come out of order are taken in order") {
    StreamFixture f;
    f.settings.catch_up_queries = 4;
    f.site.show(1, 300);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.site.hold([](const EventQuery& query) { return query.after == 120; });
    f.start();
    CHECK(f.stream->level() == 120);  // those behind it wait
    CHECK(f.site.holding() == 1);
    CHECK(f.live_queries() <= 2 + 4 + 1);
    f.site.let_go();
    f.settle();
    CHECK(lane.got == range(101, 300));
    for (std::size_t i = 1; i < f.lanes.live.size(); ++i)
        CHECK(f.lanes.live[i].after == f.lanes.live[i - 1].through);
}

TEST_CASE("a failure makes the stream ask one thing at a time for a while, and loses nothing") {
    StreamFixture f;
    f.settings.catch_up_queries = 4;
    f.settings.calm = 60s;
    f.settings.backoff = {50ms, 100ms, 1s};
    f.site.show(1, 2000);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.site.hold([](const EventQuery& query) { return query.after >= 500; });
    f.start();
    REQUIRE(f.site.holding() == 4);
    f.site.fail_next(1, Failure{Cause::busy, "too many requests", 0, 429, {}});
    f.site.let_go();
    f.site.hold([](const EventQuery& query) { return query.after >= 1000; });
    f.settle();
    f.pass(10s);
    CHECK(f.site.holding() == 1);
    f.pass(60s, 1s);
    CHECK(f.site.holding() == 1);
    f.site.let_go();
    f.settle();
    CHECK(lane.got == range(101, 2000));
    CHECK(f.stream->status().failures == 1);
}

TEST_CASE("what is missing where two pages meet is awaited, and delivered once when it comes") {
    StreamFixture f;
    f.settings.catch_up_queries = 4;
    f.site.show(1, 119);
    f.site.show(122, 139);  // 120 is the last of a page, 121 the first of the next
    f.site.show(141, 300);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(f.stream->level() == 300);
    CHECK(f.stream->status().open_gaps == 2);
    f.site.show(120, 121);
    f.pass(2s);
    CHECK(lane.late == range(120, 121));
    f.site.show(140);
    f.pass(2s);
    CHECK(sorted(lane.got) == range(101, 300));
    CHECK(f.stream->status().open_gaps == 0);
}

TEST_CASE("a hole of a million ids costs a handful of queries") {
    StreamFixture f;
    f.settings.catch_up_queries = 6;
    f.settings.gap_timeout = 1s;
    f.site.show(1, 300);
    f.site.show(1'000'301, 1'000'600);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(f.stream->level() == 1'000'600);
    CHECK(lane.got.size() == 500);
    CHECK(f.live_queries() < 50 + 20);
}

TEST_CASE("pages that hold more ids, or fewer, than the ones before leave nothing out") {
    StreamFixture f;
    f.settings.catch_up_queries = 5;
    std::vector<EventId> shown;
    const auto show = [&](EventId id) {
        f.site.show(id);
        shown.push_back(id);
    };
    for (EventId id = 101; id <= 400; ++id) show(id);
    for (EventId id = 403; id <= 1600; id += 3) show(id);
    for (EventId id = 1601; id <= 1900; ++id) show(id);
    for (EventId id = 1902; id <= 2500; id += 1 + id % 5) show(id);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    CHECK(f.stream->level() == shown.back());
    CHECK(lane.got == shown);
}

TEST_CASE("the stream stops, and takes further fields, while pages are under way") {
    StreamFixture f;
    f.settings.catch_up_queries = 4;
    f.site.show(1, 1000);
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.site.hold([](const EventQuery& query) { return query.after >= 500; });
    f.start();
    REQUIRE(f.site.holding() == 4);
    f.stream->want_fields({"description"});
    f.site.let_go();
    f.site.hold([](const EventQuery& query) { return query.after >= 800; });
    f.settle();
    f.pass(1s);
    CHECK(lane.got == range(101, f.stream->level()));
    CHECK(f.stream->level() >= 800);
    for (const auto& query : f.site.queries())
        if (query.after >= 600) CHECK((query.fields && query.fields->size() == 1));
    f.stop();
    f.site.let_go();
    CHECK(f.reopen().highest_seen == lane.position);
}
