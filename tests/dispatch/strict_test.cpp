// Plugins that wait for missing ids.
#include "scripted.hpp"

namespace strict_test {

using namespace sg;
using namespace sg::test;

namespace {

using Ids = std::vector<EventId>;

dispatch::Settings strict_one() {
    dispatch::Settings settings;
    settings.strict_orders["strict"] = true;
    return settings;
}

std::vector<Row> rows(EventId first, EventId last, EventId without) {
    std::vector<Row> out;
    for (EventId id = first; id <= last; ++id)
        if (id != without) out.push_back({id});
    return out;
}

}  // namespace

TEST_CASE("C54 a strict plugin waits for a missing id and gets the exact order, another does not wait") {
    Rig rig(100, strict_one());
    rig.begin();
    const auto strict = rig.load("strict"), other = rig.load("late");
    rig.source.gaps = {105};
    rig.live(rows(101, 110, 105));
    rig.run(strict);
    rig.run(other);
    CHECK(ids(strict->journal) == range(101, 104));
    CHECK(ids(other->journal) == Ids{101, 102, 103, 104, 106, 107, 108, 109, 110});
    CHECK(rig.status("strict").cursor == 104);
    const auto fetches = rig.source.fetches;
    rig.pass(1s);
    CHECK(rig.source.fetches == fetches);  // it waits without asking

    rig.source.gaps.clear();
    rig.late({{105}});
    rig.run(strict);
    rig.run(other);
    CHECK(ids(strict->journal) == range(101, 110));
    CHECK(other->journal.back().event == 105);
}

TEST_CASE("C54 a strict plugin goes on when a missing id is given up") {
    Rig rig(100, strict_one());
    rig.begin();
    const auto strict = rig.load("strict");
    rig.source.gaps = {103, 105};
    rig.live({{101}, {102}, {104}, {106}});
    rig.run(strict);
    CHECK(ids(strict->journal) == Ids{101, 102});
    rig.source.gaps = {105};
    rig.dispatcher->on_given_up();
    rig.run(strict);
    CHECK(ids(strict->journal) == Ids{101, 102, 104});
    rig.source.gaps.clear();
    rig.dispatcher->on_given_up();
    rig.run(strict);
    CHECK(ids(strict->journal) == Ids{101, 102, 104, 106});
    CHECK(rig.status("strict").cursor == 106);
}

TEST_CASE(
    "C49 a row that comes after its gap was given up is told of to strict plugins, delivered to others") {
    Rig rig(100, strict_one());
    rig.begin();
    const auto strict = rig.load("strict"), other = rig.load("late");
    rig.live(rows(101, 104, 103));
    rig.run(strict);
    rig.run(other);
    rig.late({{103}}, event::Late::given_up);
    rig.run(strict);
    rig.run(other);
    CHECK(ids(strict->journal) == Ids{101, 102, 104});
    CHECK(ids(other->journal) == Ids{101, 102, 104, 103});
    CHECK(rig.log.count("[STRICT-MISSED]") == 1);
    CHECK(rig.log.count("plugin=strict event=103") == 1);
    // Where it is not past the row, it gets it in its place.
    rig.source.gaps = {106};
    rig.live(rows(105, 108, 106));
    rig.run(strict);
    rig.source.gaps.clear();
    rig.late({{106}}, event::Late::given_up);
    rig.run(strict);
    CHECK(ids(strict->journal) == Ids{101, 102, 104, 105, 106, 107, 108});
    CHECK(rig.log.count("[STRICT-MISSED]") == 1);
}

TEST_CASE("a strict plugin that waits comes back there after a kill") {
    Rig rig(100, strict_one());
    rig.begin();
    auto strict = rig.load("strict");
    rig.source.gaps = {102};
    rig.live({{101}, {103}});
    rig.run(strict);
    rig.crash();
    rig.boot();
    rig.begin();
    strict = rig.load("strict");
    rig.run(strict);
    CHECK(strict->journal.empty());
    rig.source.gaps.clear();
    rig.late({{102}});
    rig.run(strict);
    CHECK(ids(strict->journal) == Ids{102, 103});
}

}  // namespace strict_test
