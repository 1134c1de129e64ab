// Rows that turn up inside gaps.
#include "scripted.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("C46 a late row is delivered and nothing else again") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live({{101}, {102}, {103}, {104}, {106}, {107}, {108}, {109}, {110}});
    rig.run(plugin);
    CHECK(plugin->journal.size() == 9);
    rig.late({{105}});
    rig.run(plugin);
    rig.live(111, 111);
    rig.run(plugin);
    REQUIRE(plugin->journal.size() == 11);
    CHECK(plugin->journal[9] == Call{105, "all", 1, false});
    CHECK(plugin->journal[10] == Call{111, "all", 1, false});
    CHECK(rig.status("p").cursor == 111);
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("C47 events above a hole do not wait for it") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live(102, 140);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(102, 140));
    CHECK(rig.status("p").cursor == 140);
}

TEST_CASE("C55 a late row that was stored survives a kill and is delivered once") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live({{101}, {103}});
    rig.run(first);
    rig.late({{102}});
    REQUIRE(first->waiting() == 1);
    rig.crash();
    rig.boot();
    REQUIRE(rig.store->snapshot().pending.size() == 1);
    rig.begin();
    const auto second = rig.load("p");
    rig.run(second);
    CHECK(second->journal == std::vector<Call>{{102, "all", 1, true}});
}

TEST_CASE("a late row that a plugin does not want, or from before its start, leaves no trace") {
    Rig rig;
    rig.begin();
    rig.load("p", {{"c", EventFilter{}.on("A")}});
    rig.live({{101, "A"}, {105, "B"}});
    rig.run(rig.generations.front());
    rig.late({{99, "A"}, {102, "B"}});
    CHECK(rig.generations.front()->is_idle());
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("each callback that wants a late row gets it, in order") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p", {{"z", {}}, {"m", EventFilter{}.on("B")}, {"a", {}}});
    rig.live({{101, "A"}, {103, "A"}});
    rig.run(plugin);
    plugin->journal.clear();
    rig.late({{102, "A"}});
    rig.run(plugin);
    CHECK(plugin->journal == std::vector<Call>{{102, "z", 1, false}, {102, "a", 1, false}});
}

TEST_CASE("a late row above the cursor is delivered once, and not lost by a kill") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live({{101}, {102}, {104}, {105}});
    rig.finish_one(first);  // 102 is running
    rig.late({{103}});
    CHECK(rig.status("p").cursor == 101);
    SECTION("without a kill") {
        rig.run(first);
        CHECK(ids(first->journal) == std::vector<EventId>{101, 102, 104, 105, 103});
        CHECK(rig.status("p").pending == 0);
    }
    SECTION("with a kill while what is below runs") {
        rig.crash();
        rig.boot();
        rig.begin();
        const auto second = rig.load("p");
        rig.run(second);
        CHECK(ids(second->journal) == range(102, 105));
    }
    SECTION("with a kill when the cursor has passed it") {
        rig.finish_one(first);
        CHECK(rig.status("p").cursor == 103);
        rig.crash();
        rig.boot();
        rig.begin();
        const auto second = rig.load("p");
        rig.run(second);
        CHECK(ids(second->journal) == range(103, 105));
    }
    SECTION("with a build that wants other callbacks") {
        rig.end(first, {"replaced", {}, {}});
        const auto second = rig.load("p", {{"other", {}}});
        rig.run(second);
        CHECK(ids(second->journal) == range(102, 105));
    }
}

TEST_CASE("a late row for a plugin that is not loaded waits for it, and is judged by the next build") {
    Rig rig;
    rig.begin();
    const std::vector<CallbackInfo> wants_a{{"c", EventFilter{}.on("A")}, {"d", {}}};
    const auto first = rig.load("p", wants_a);
    rig.live({{101, "A"}, {104, "A"}});
    rig.run(first);
    rig.end(first, {"killed", {}, {}});
    rig.late({{102, "A"}});
    SECTION("in the same daemon") {}
    SECTION("in the next one") {
        rig.crash();
        rig.boot();
        rig.begin();
        rig.late({{103, "B"}});
    }
    const auto second = rig.load("p", wants_a);
    rig.run(second);
    REQUIRE(second->journal.size() >= 2);
    CHECK(second->journal[0] == Call{102, "c", 1, false});
    CHECK(second->journal[1] == Call{102, "d", 1, false});
    if (second->journal.size() > 2) CHECK(second->journal[2] == Call{103, "d", 1, false});
    CHECK(rig.status("p").pending == 0);
    rig.crash();
    rig.boot();
    CHECK(rig.store->snapshot().pending.empty());
}

TEST_CASE("a row that turns up while a page below it is being fetched is not missed") {
    Rig rig;
    rig.begin();
    rig.run(rig.load("p"));
    rig.stop();
    for (const EventId id : {101, 102, 104, 105}) rig.source.show({id});
    rig.source.set_level(105);
    rig.boot();
    rig.source.hold_fetches = true;
    rig.begin();
    const auto plugin = rig.load("p");
    REQUIRE(rig.source.fetches == 1);
    rig.late({{103}});  // not in the answer that is on its way
    rig.source.hold_fetches = false;
    rig.source.release_fetches();
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(101, 105));
}

namespace {

void show_late(Rig& rig, EventId id) {
    rig.source.show({id});
    checkpoint::Batch batch;
    rig.dispatcher->on_late(page_of({{id}}), batch, event::Late::awaited);
    rig.store->apply(std::move(batch), checkpoint::Urgency::settled);
}

/// Kills the daemon as soon as `owed` is with the host: then its debt is stored, and the next one marks it.
void check_stored_first(Rig& rig, const GenerationPtr& first, EventId owed) {
    REQUIRE(wait_for([&] {
        rig.loop.run_ready();
        return !first->is_idle();
    }));
    CHECK(first->next() == Call{owed, "all", 1, false});
    rig.crash(Rig::Saved::no);
    rig.boot();
    REQUIRE(rig.store->snapshot().pending.size() == 1);
    CHECK(rig.store->snapshot().pending.front().callback == "all");
    rig.begin();
    const auto second = rig.load("p");
    rig.run(second);
    REQUIRE(!second->journal.empty());
    CHECK(second->journal.front() == Call{owed, "all", 1, true});
}

}  // namespace

TEST_CASE("a late row is handed out only when a kill would leave it marked") {
    for (int round = 0; round < 10; ++round) {
        Rig rig;
        rig.begin();
        const auto plugin = rig.load("p");
        rig.live({{101}, {103}});
        rig.run(plugin);
        show_late(rig, 102);
        check_stored_first(rig, plugin, 102);
    }
}

TEST_CASE("a late row that the cursor passes is handed out only when a kill would leave it marked") {
    for (int round = 0; round < 10; ++round) {
        Rig rig;
        rig.begin();
        const auto plugin = rig.load("p");
        rig.live({{101}, {103}});
        show_late(rig, 102);
        CHECK(rig.status("p").cursor == 100);
        const auto one = plugin->end(true), two = plugin->end(true);
        rig.dispatcher->on_outcomes(*plugin, {one, two});
        check_stored_first(rig, plugin, 102);
    }
}

TEST_CASE("a late row that a new build is asked about is handed out only when a kill would leave it marked") {
    for (int round = 0; round < 10; ++round) {
        Rig rig;
        rig.begin();
        const auto first = rig.load("p");
        rig.live({{101}, {103}});
        rig.run(first);
        rig.end(first, {"killed", {}, {}});
        show_late(rig, 102);
        rig.settle_loop();
        check_stored_first(rig, rig.load("p"), 102);
    }
}
