// Callbacks that wait for further events: windows and quiet, by the daemon's clock, with nothing in any host.
#include "scripted.hpp"

namespace gathering_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

using Ids = std::vector<EventId>;

/// A row about a Shot; `in_create`: part of creating it.
Row about(EventId id, EntityId shot, bool in_create = false, std::string type = "Shotgun_Shot_Change") {
    Row row{id, std::move(type), "code"};
    row.json =
        json{{"id", id}, {"entity", {{"type", "Shot"}, {"id", shot}}}, {"meta", {{"in_create", in_create}}}}
            .dump();
    return row;
}
std::vector<Row> about_each(EventId first, EventId last, EntityId shot) {
    std::vector<Row> rows;
    for (EventId id = first; id <= last; ++id) rows.push_back(about(id, shot));
    return rows;
}

CallbackInfo coalescing(MergeBy by = MergeBy::entity_and_type, const char* name = "burst") {
    CallbackInfo info{name, {}};
    info.gathering.coalesce = 200ms;
    info.gathering.by = by;
    return info;
}
CallbackInfo settling() {
    CallbackInfo info{"settled", EventFilter{}.on("Shotgun_Shot_New")};
    info.gathering.settle = 200ms;
    return info;
}

}  // namespace

TEST_CASE("C41 a burst about one entity is one call that lists all, and all succeed together") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", {coalescing()});
    rig.live(about_each(101, 120, 1));
    rig.live({about(121, 2)});
    CHECK(plugin->is_idle());
    CHECK(rig.status("p").cursor == 121);
    CHECK(rig.status("p").pending == 21);
    CHECK(rig.status("p").outstanding == 0);
    rig.pass(199ms);
    CHECK(plugin->is_idle());
    rig.pass(1ms);
    REQUIRE(plugin->merged.size() == 2);
    CHECK(plugin->merged[0] == range(101, 120));
    CHECK(plugin->merged[1] == Ids{121});
    rig.finish_one(plugin);
    CHECK(rig.status("p").pending == 1);
    rig.finish_one(plugin);
    CHECK(rig.status("p").pending == 0);
    CHECK(ids(plugin->journal) == Ids{120, 121});
    CHECK(rig.status("p").succeeded == 2);

    rig.crash();
    rig.boot();
    rig.begin();
    const auto again = rig.load("p", {coalescing()});
    rig.pass(1s);
    CHECK(again->is_idle());
}

TEST_CASE("C41 a crash before the call repeats all of a burst, as one call that is marked") {
    Rig rig(100);
    rig.begin();
    auto plugin = rig.load("p", {coalescing()});
    rig.live(about_each(101, 120, 1));
    rig.pass(200ms);
    REQUIRE(plugin->merged.size() == 1);
    plugin->begin_next();
    rig.crash();
    rig.boot();
    rig.begin();
    plugin = rig.load("p", {coalescing()});
    rig.pass(1s);
    REQUIRE(plugin->merged.size() == 1);
    CHECK(plugin->merged[0] == range(101, 120));
    CHECK(plugin->next().redelivered);
    rig.run(plugin);
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("a burst that fails is tried again as a whole, and one whose host dies too") {
    Rig rig(100);
    rig.begin();
    auto plugin = rig.load("p", {coalescing()});
    rig.live(about_each(101, 103, 1));
    rig.pass(200ms);
    rig.finish_one(plugin, false);
    CHECK(rig.status("p").pending == 3);
    CHECK(rig.log.count("[CALL-FAILED] Callback failed; trying again. plugin=p callback=burst event=103") ==
          1);
    rig.live({about(104, 1)});  // not tried yet, so it is no part of that
    rig.pass(10s);
    REQUIRE(plugin->merged.size() == 3);
    CHECK(std::count(plugin->merged.begin(), plugin->merged.end(), range(101, 103)) == 2);
    CHECK(std::count(plugin->merged.begin(), plugin->merged.end(), Ids{104}) == 1);
    while (plugin->next().event != 103) rig.finish_one(plugin);
    CHECK(plugin->next().attempt == 2);
    const auto running = plugin->begin_next();
    rig.end(plugin, {"killed by SIGSEGV", {running}, {}});
    plugin = rig.load("p", {coalescing()});
    rig.pass(10min);
    REQUIRE_FALSE(plugin->merged.empty());
    CHECK(plugin->merged[0] == range(101, 103));
    CHECK(plugin->next().attempt == 3);
    CHECK(plugin->next().redelivered);
    rig.run(plugin);
    CHECK(rig.status("p").pending == 0);
    CHECK(rig.status("p").dead == 0);
}

TEST_CASE("what is merged may be of one entity, one project, or everything") {
    const std::vector<Row> rows{about(101, 1), about(102, 1, false, "Shotgun_Shot_Retirement"), about(103, 2),
                                Row{104}};
    const auto calls = [&](MergeBy by) {
        Rig rig(100);
        rig.begin();
        const auto plugin = rig.load("p", {coalescing(by)});
        auto in_project = rows;
        in_project[0].project = in_project[2].project = 65;
        rig.live(in_project);
        rig.pass(200ms);
        return plugin->merged;
    };
    CHECK(calls(MergeBy::entity_and_type) == std::vector<Ids>{{101}, {102}, {103}, {104}});
    CHECK(calls(MergeBy::entity) == std::vector<Ids>{{101, 102}, {103}, {104}});
    CHECK(calls(MergeBy::project) == std::vector<Ids>{{101, 103}, {102}, {104}});
    CHECK(calls(MergeBy::nothing) == std::vector<Ids>{{101, 102, 103, 104}});
}

TEST_CASE("the other callbacks of an event do not wait for one that gathers") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", {{"first", {}}, coalescing(), {"last", {}}});
    rig.live(about_each(101, 102, 1));
    rig.run(plugin);
    std::vector<std::string> seen;
    for (const auto& call : plugin->journal) seen.push_back(std::to_string(call.event) + call.callback);
    CHECK(seen == std::vector<std::string>{"101first", "101last", "102first", "102last"});
    CHECK(rig.status("p").cursor == 102);
    rig.pass(200ms);
    CHECK(plugin->merged.back() == Ids{101, 102});
    rig.run(plugin);
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("a thousand events that only gatherers want are taken without a call each") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", {coalescing(MergeBy::nothing)});
    rig.live(about_each(101, 900, 1));
    CHECK(rig.status("p").cursor == 900);
    rig.pass(200ms);
    REQUIRE(plugin->merged.size() == 1);
    CHECK(plugin->merged[0] == range(101, 900));
}

TEST_CASE("C42 a new entity is one call after the changes that are part of creating it have stopped") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", {settling(), {"other", EventFilter{}.on("Shotgun_Task_Change")}});
    const auto neighbour = rig.load("q");
    rig.live({about(101, 1, true, "Shotgun_Shot_New")});
    for (EventId id = 102; id <= 104; ++id) {
        rig.pass(100ms);
        rig.live({about(id, 1, true)});
    }
    CHECK(plugin->merged.empty());
    CHECK(rig.status("p").outstanding == 0);
    // Nobody waits for it: not the neighbour, nor the plugin's other callback.
    rig.live({Row{105, "Shotgun_Task_Change", "code"}});
    rig.run(neighbour);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == Ids{105});
    CHECK(neighbour->journal.size() == 5);
    rig.pass(199ms);
    CHECK(plugin->is_idle());
    rig.pass(1ms);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == Ids{105, 101});
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("C42 what is no part of the creation ends the wait, what is about another entity does nothing") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", {settling()});
    rig.live({about(101, 1, true, "Shotgun_Shot_New")});
    rig.pass(100ms);
    rig.live({about(102, 2), about(103, 2, true)});
    CHECK(plugin->is_idle());
    rig.live({about(104, 1)});
    rig.run(plugin);
    CHECK(ids(plugin->journal) == Ids{101});
}

TEST_CASE("C42 a wait for quiet outlives a kill") {
    Rig rig(100);
    rig.begin();
    auto plugin = rig.load("p", {settling()});
    rig.live({about(101, 1, true, "Shotgun_Shot_New")});
    rig.crash();
    rig.boot();
    rig.begin();
    plugin = rig.load("p", {settling()});
    rig.pass(200ms);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == Ids{101});
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("a late row joins what is gathered") {
    Rig rig(100);
    rig.begin();
    const auto plugin = rig.load("p", {coalescing()});
    rig.live({about(102, 1)});
    rig.late({about(101, 1)});
    rig.pass(200ms);
    REQUIRE(plugin->merged.size() == 1);
    CHECK(plugin->merged[0] == Ids{101, 102});
}

TEST_CASE("a plugin that is told to halt gathers all the same, and tries again") {
    dispatch::Settings settings;
    settings.failures["p"].policy = OnFailure::halt;
    Rig rig(100, settings);
    rig.begin();
    const auto plugin = rig.load("p", {coalescing()});
    rig.live(about_each(101, 102, 1));
    rig.pass(200ms);
    rig.finish_one(plugin, false);
    rig.live({about(103, 2)});
    CHECK(rig.status("p").cursor == 103);
    rig.pass(10min);
    rig.run(plugin);
    CHECK(rig.status("p").pending == 0);
}

}  // namespace gathering_test
