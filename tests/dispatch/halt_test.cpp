// Callbacks that must not miss an event: their plugin stands at it.
#include "scripted.hpp"

using namespace sg;
using namespace sg::test;
using dispatch::LaneState;

namespace {

const std::vector<CallbackInfo> one_halts{{"all", {}, OnFailure::halt}};

}  // namespace

TEST_CASE("C66 a plugin that halts stands at the event, tries again by itself, and goes on in order") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p", one_halts);
    const auto other = rig.load("other");
    bool database_up = false;
    const auto works = [&](const Call& call) { return call.event != 101 || database_up; };
    rig.live(101, 105);
    for (int i = 0; i < 50; ++i) {
        rig.run(plugin, works);
        rig.run(other);
        rig.pass(5min);
    }
    CHECK(ids(other->journal) == range(101, 105));
    CHECK(rig.status("p").state == LaneState::halted);
    CHECK(rig.status("p").cursor == 100);
    CHECK(rig.status("p").dead == 0);
    CHECK(rig.log.count("[LANE-HALTED]") == 1);
    CHECK(rig.log.count("[LANE-RESUMED]") == 0);
    CHECK(plugin->journal.size() > 40);
    for (const auto& call : plugin->journal) CHECK(call.event == 101);
    CHECK(plugin->journal[1] == Call{101, "all", 2, false});

    database_up = true;
    rig.pass(5min);
    plugin->journal.clear();
    rig.run(plugin, works);
    CHECK(ids(plugin->journal) == range(101, 105));
    CHECK(rig.log.count("[LANE-RESUMED]") == 1);
    CHECK(rig.status("p").cursor == 105);
    CHECK(rig.status("p").state == LaneState::level);
}

TEST_CASE("C56 what turns up in a hole while a plugin stands is delivered when it goes on") {
    const bool restarts = GENERATE(false, true);
    Rig rig;
    rig.begin();
    auto plugin = rig.load("p", one_halts);
    rig.live({{101}, {102}, {103}, {106}});
    rig.run(plugin, [](const Call& call) { return call.event != 102; });
    REQUIRE(rig.status("p").state == LaneState::halted);
    rig.late({{104}, {105}});
    rig.pass(1h);
    if (restarts) {
        rig.stop();
        rig.boot();
        rig.begin();
        plugin = rig.load("p", one_halts);
        rig.pass(1h);
    }
    plugin->journal.clear();
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(102, 106));
    CHECK(rig.status("p").cursor == 106);
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("a plugin that stands is found standing after a restart, with its attempts counted on") {
    const bool killed = GENERATE(false, true);
    Rig rig;
    rig.begin();
    const auto first = rig.load("p", one_halts);
    rig.live(101, 105);
    rig.run(first, [](const Call&) { return false; });
    killed ? rig.crash() : rig.stop();
    rig.boot();
    REQUIRE(rig.store->snapshot().plugins.at("p").cursor == 100);
    REQUIRE(rig.store->snapshot().pending.size() == 1);
    rig.begin();
    const auto second = rig.load("p", one_halts);
    rig.pass(10s);
    REQUIRE(second->waiting() == 1);
    CHECK(second->next() == Call{101, "all", 2, killed});
    rig.run(second);
    CHECK(ids(second->journal) == range(101, 105));
    CHECK(rig.status("p").cursor == 105);
    rig.stop();
    rig.boot();
    CHECK(rig.store->snapshot().pending.empty());
}

TEST_CASE("of an event that a plugin stands at, callbacks that ended are not called again") {
    const std::vector<CallbackInfo> three{{"c1", {}}, {"c2", {}, OnFailure::halt}, {"c3", {}}};
    Rig rig;
    rig.begin();
    const auto first = rig.load("p", three);
    rig.live(101, 102);
    rig.finish_one(first);
    CHECK(rig.status("p").cursor == 100);
    rig.finish_one(first, false);
    rig.finish_one(first);
    CHECK(first->is_idle());
    CHECK(rig.status("p").cursor == 100);
    GenerationPtr second = first;
    SECTION("in the same daemon") {}
    SECTION("after a kill") {
        rig.crash();
        rig.boot();
        rig.begin();
        second = rig.load("p", three);
    }
    second->journal.clear();
    rig.pass(10s);
    rig.run(second);
    REQUIRE(second->journal.size() == 4);
    CHECK(second->journal[0].event == 101);
    CHECK(second->journal[0].callback == "c2");
    CHECK(second->journal[0].attempt == 2);
    for (std::size_t i = 1; i < 4; ++i) CHECK(second->journal[i].event == 102);
}

TEST_CASE("a host that dies of an event leaves its plugin standing there") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p", one_halts);
    rig.live(101, 103);
    rig.finish_one(first);
    rig.end(first, {"killed by SIGSEGV", {first->begin_next()}, {}});
    CHECK(rig.status("p").cursor == 101);
    const auto second = rig.load("p", one_halts);
    rig.settle_loop();
    CHECK(second->is_idle());
    rig.pass(10s);
    REQUIRE(second->waiting() == 1);
    CHECK(second->next() == Call{102, "all", 2, true});
    rig.run(second);
    CHECK(ids(second->journal) == range(102, 103));
}

TEST_CASE("a new build whose callback no longer halts, or is gone, goes on") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p", one_halts);
    rig.live(101, 103);
    rig.run(first, [](const Call&) { return false; });
    REQUIRE(rig.status("p").state == LaneState::halted);
    const auto name = GENERATE(as<std::string>{}, "all", "other");
    const auto second = rig.load("p", {{name, {}, OnFailure::retry}});
    rig.run(second);
    CHECK(ids(second->journal) == range(102, 103));
    CHECK(rig.log.count("[LANE-RESUMED]") == 1);
    CHECK(rig.status("p").cursor == 103);
    CHECK(rig.status("p").pending == 1);
}

TEST_CASE("what the configuration says of a plugin's failures stands above what its callbacks registered") {
    dispatch::Settings settings;
    settings.failures["p"].policy = OnFailure::skip;
    settings.failures["q"].policy = OnFailure::halt;
    Rig rig(100, settings);
    rig.begin();
    const auto p = rig.load("p", one_halts), q = rig.load("q"), r = rig.load("r");
    rig.live(101, 102);
    for (const auto& plugin : {p, q, r}) rig.run(plugin, [](const Call&) { return false; });
    CHECK(rig.status("p").skipped == 2);
    CHECK(rig.status("q").state == LaneState::halted);
    CHECK(rig.status("r").pending == 2);
}
