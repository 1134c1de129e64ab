// Lanes whose events may overlap: outcomes in any order, and a cursor that passes what runs.
#include "scripted.hpp"

namespace overlap_test {

using namespace sg;
using namespace sg::test;

namespace {

using Ids = std::vector<EventId>;

std::vector<CallbackInfo> overlapping(int concurrency = 4) {
    CallbackInfo info{"all", {}};
    info.concurrency = concurrency;
    return {info};
}

void finish(Rig& rig, const GenerationPtr& plugin, EventId event, bool ok = true) {
    rig.dispatcher->on_outcomes(*plugin, {plugin->end_of(event, ok)});
    rig.settle_loop();
}

}  // namespace

TEST_CASE("C80 what ended behind a call that runs is settled, and a kill repeats what ran alone") {
    Rig rig(100);
    rig.begin();
    auto plugin = rig.load("p", overlapping());
    rig.live(101, 105);
    REQUIRE(plugin->waiting() == 5);
    finish(rig, plugin, 103);
    CHECK(rig.status("p").cursor == 103);
    CHECK(rig.status("p").pending == 2);
    finish(rig, plugin, 101);
    CHECK(rig.status("p").pending == 1);
    rig.crash();
    rig.boot();
    rig.begin();
    plugin = rig.load("p", overlapping());
    rig.run(plugin);
    CHECK(plugin->journal ==
          std::vector<Call>{{102, "all", 1, true}, {104, "all", 1, true}, {105, "all", 1, true}});
    CHECK(rig.status("p").pending == 0);
    CHECK(rig.status("p").cursor == 105);
}

TEST_CASE("a call that overlaps others and fails is tried again alone") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", overlapping());
    rig.live(101, 104);
    finish(rig, plugin, 104);
    finish(rig, plugin, 102, false);
    finish(rig, plugin, 101);
    finish(rig, plugin, 103);
    CHECK(rig.status("p").cursor == 104);
    CHECK(rig.status("p").pending == 1);
    rig.pass(10s);
    rig.run(plugin);
    CHECK(plugin->journal.back() == Call{102, "all", 2, false});
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("a host that dies with several calls running owes those, and the rest goes out in order") {
    Rig rig(100);
    rig.begin();
    auto plugin = rig.load("p", overlapping());
    rig.live(101, 106);
    finish(rig, plugin, 102);
    rig.end(plugin, {"killed by SIGSEGV", {{101, 0}, {104, 0}}, {}});
    plugin = rig.load("p", overlapping());
    rig.pass(10min);
    rig.run(plugin);
    auto seen = ids(plugin->journal);
    std::sort(seen.begin(), seen.end());
    CHECK(seen == Ids{101, 103, 104, 105, 106});
    for (const auto& call : plugin->journal)
        CHECK(call.attempt == (call.event == 101 || call.event == 104 ? 2 : 1));
    CHECK(rig.status("p").pending == 0);
    CHECK(rig.status("p").cursor == 106);
}

TEST_CASE("a slow call keeps nobody of its lane waiting where events may overlap") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", overlapping());
    rig.live(101, 400);
    for (EventId id = 102; id <= 400; ++id) finish(rig, plugin, id);
    CHECK(rig.status("p").cursor == 400);
    CHECK(rig.status("p").pending == 1);
    CHECK(plugin->next().event == 101);
    rig.finish_one(plugin);
    CHECK(rig.status("p").pending == 0);
}

}  // namespace overlap_test
