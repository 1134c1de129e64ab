// Who gets which event, and in what order, when nothing goes wrong.
#include "scripted.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("C1 a new plugin begins after the newest event and gets the next") {
    Rig rig;
    for (EventId id = 90; id <= 100; ++id) rig.source.show({id});
    rig.begin();
    const auto plugin = rig.load("p");
    CHECK(rig.status("p").start == 100);
    rig.live(101, 101);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(101, 101));
    rig.crash();
    rig.boot();
    const auto& stored = rig.store->snapshot().plugins.at("p");
    CHECK(stored.start == 100);
    CHECK(stored.cursor == 101);
}

TEST_CASE("a plugin that is ready before the site has answered waits for its start") {
    Rig rig;
    const auto plugin = rig.load("p");
    CHECK(rig.status("p").state == dispatch::LaneState::waiting_for_start);
    rig.source.set_level(200);
    rig.begin();
    CHECK(rig.status("p").start == 200);
    rig.live(201, 203);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(201, 203));
}

TEST_CASE("C2 events that came while the daemon was stopped are delivered in order") {
    Rig rig;
    rig.begin();
    rig.run(rig.load("p"));
    rig.stop();
    for (EventId id = 101; id <= 305; ++id) rig.source.show({id});
    rig.source.set_level(305);
    rig.boot();
    rig.begin();
    const auto plugin = rig.load("p");
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(101, 305));
    for (const auto& call : plugin->journal) CHECK_FALSE(call.redelivered);
    CHECK(rig.status("p").state == dispatch::LaneState::level);
}

TEST_CASE("plugins that are announced set out together from behind") {
    dispatch::Settings settings;
    settings.start.kind = dispatch::StartRule::Kind::earliest;
    Rig rig(100, settings);
    for (EventId id = 1; id <= 100; ++id) rig.source.show({id});
    rig.dispatcher->expect({"a", "b", "broken"});
    rig.begin();
    const auto a = rig.load("a");
    rig.settle_loop();
    rig.dispatcher->on_refused("broken", Failure{Cause::invalid, "no plugin", 0, 0, {}}, false);
    rig.settle_loop();
    CHECK(rig.source.fetches == 0);
    const auto b = rig.load("b");
    CHECK(rig.source.fetches == 2);
    rig.run(a);
    rig.run(b);
    CHECK(ids(a->journal) == range(1, 100));
    CHECK(ids(b->journal) == range(1, 100));
}

TEST_CASE("a plugin whose loading takes long holds up nobody who is level and others for a moment only") {
    dispatch::Settings settings;
    settings.starts["late"] = {dispatch::StartRule::Kind::earliest, 0};
    Rig rig(100, settings);
    for (EventId id = 1; id <= 100; ++id) rig.source.show({id});
    rig.dispatcher->expect({"level", "late", "hangs"});
    rig.begin();
    const auto level = rig.load("level");
    const auto late = rig.load("late");
    rig.live(101, 101);
    rig.run(level);
    CHECK(ids(level->journal) == range(101, 101));
    rig.pass(settings.gather_time - 1ms);
    CHECK(rig.source.fetches == 0);
    rig.pass(1ms);
    rig.run(late);
    CHECK(ids(late->journal) == range(1, 101));
}

TEST_CASE("C5 two plugins each resume at their own position and get nothing twice") {
    Rig rig;
    rig.begin();
    const auto a = rig.load("a");
    const auto b = rig.load("b");
    rig.live(101, 103);
    rig.run(b);
    rig.end(a, {"killed", {}, {}});
    rig.stop();
    for (EventId id = 104; id <= 110; ++id) rig.source.show({id});
    rig.source.set_level(110);
    rig.boot();
    rig.begin();
    const auto a2 = rig.load("a"), b2 = rig.load("b");
    rig.run(a2);
    rig.run(b2);
    CHECK(ids(a2->journal) == range(101, 110));
    CHECK(ids(b2->journal) == range(104, 110));
}

TEST_CASE("C7 a new plugin gets nothing from before it was loaded, whoever is catching up") {
    Rig rig;
    rig.begin();
    rig.settings.start = {};
    const auto old = rig.load("old");
    rig.live(101, 140);
    const auto fresh = rig.load("fresh");
    rig.live(141, 142);
    rig.run(old);
    rig.run(fresh);
    CHECK(ids(old->journal) == range(101, 142));
    CHECK(ids(fresh->journal) == range(141, 142));
}

TEST_CASE("C8 a plugin that starts at the earliest gets every row once") {
    dispatch::Settings settings;
    settings.starts["p"] = {dispatch::StartRule::Kind::earliest, 0};
    settings.starts["q"] = {dispatch::StartRule::Kind::after_id, 250};
    Rig rig(300, settings);
    for (EventId id = 1; id <= 300; ++id) rig.source.show({id});
    rig.begin();
    const auto p = rig.load("p"), q = rig.load("q");
    rig.live(301, 303);
    rig.run(p);
    rig.run(q);
    CHECK(ids(p->journal) == range(1, 303));
    CHECK(ids(q->journal) == range(251, 303));
    rig.crash();
    rig.boot();
    CHECK(rig.store->snapshot().plugins.at("p").start == 0);
}

TEST_CASE("C9 a plugin that returns resumes where it was, with a warning when that is far behind") {
    dispatch::Settings settings;
    settings.far_behind = 50;
    Rig rig(100, settings);
    rig.begin();
    const auto other = rig.load("other");
    rig.run(rig.load("p"));
    rig.stop();
    for (EventId id = 101; id <= 200; ++id) rig.source.show({id});
    rig.source.set_level(200);
    rig.boot();
    rig.begin();
    CHECK(rig.status("p").cursor == 100);
    CHECK(rig.log.count("[LANE-BEHIND]") == 0);
    const auto plugin = rig.load("p");
    rig.run(plugin);
    CHECK(rig.log.count("[LANE-BEHIND]") == 1);
    CHECK(ids(plugin->journal) == range(101, 200));
}

TEST_CASE("C26 callbacks run in the order they were registered, events in id order, never two at once") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p", {{"c1", {}}, {"c2", {}}, {"c3", {}}});
    rig.live(101, 150);
    rig.run(plugin);
    REQUIRE(plugin->journal.size() == 150);
    for (std::size_t i = 0; i < 150; ++i) {
        CHECK(plugin->journal[i].event == 101 + static_cast<EventId>(i / 3));
        CHECK(plugin->journal[i].callback == "c" + std::to_string(i % 3 + 1));
    }
}

TEST_CASE("C35 a plugin that wants nothing advances, and a restart delivers nothing again") {
    Rig rig;
    rig.begin();
    const std::vector<CallbackInfo> nothing{{"c", EventFilter{}.on("Shotgun_Never_New")}};
    const auto plugin = rig.load("p", nothing);
    rig.live(101, 200);
    CHECK(plugin->journal.empty());
    CHECK(rig.status("p").cursor == 200);
    rig.stop();
    rig.boot();
    CHECK(rig.store->snapshot().plugins.at("p").cursor == 200);
    rig.begin();
    rig.run(rig.load("p", nothing));
    CHECK(rig.source.fetches == 0);
}

TEST_CASE("C74 a plugin without callbacks advances") {
    Rig rig;
    rig.begin();
    rig.load("p", {});
    rig.live(101, 105);
    CHECK(rig.status("p").position == 105);
    CHECK(rig.status("p").state == dispatch::LaneState::level);
}

TEST_CASE("C75 a plugin that waits delays no other, and gets its events in order later") {
    Rig rig;
    rig.begin();
    const auto slow = rig.load("slow"), fast = rig.load("fast");
    rig.live(101, 150);
    rig.run(fast);
    rig.live(151, 200);
    rig.run(fast);
    CHECK(ids(fast->journal) == range(101, 200));
    CHECK(rig.status("fast").cursor == 200);
    CHECK(slow->journal.empty());
    CHECK(rig.status("slow").cursor == 100);
    rig.run(slow);
    CHECK(ids(slow->journal) == range(101, 200));
}

TEST_CASE("a plugin that was refused keeps its cursor, and the others go on") {
    Rig rig;
    rig.begin();
    rig.run(rig.load("p"));
    rig.run(rig.load("q"));
    rig.stop();
    rig.boot();
    rig.begin();
    rig.dispatcher->on_refused("p", Failure{Cause::invalid, "not a library", 0, 0, {}}, false);
    const auto q = rig.load("q");
    rig.live(101, 103);
    rig.run(q);
    CHECK(rig.status("p").cursor == 100);
    CHECK(rig.status("p").state == dispatch::LaneState::waiting_for_plugin);
    CHECK(rig.status("p").why == "not a library");
    const auto p = rig.load("p");
    rig.run(p);
    CHECK(ids(p->journal) == range(101, 103));
}

TEST_CASE("a generation that replaces another gets the next event when that has nothing in hand") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live(101, 103);
    REQUIRE(first->waiting() == 3);
    const auto second = rig.load("p");
    rig.live(104, 105);
    CHECK(second->is_idle());
    rig.finish_one(first);
    CHECK(second->is_idle());
    SECTION("when it finishes all of it") {
        rig.run(first);
        rig.run(second);
        CHECK(ids(first->journal) == range(101, 103));
        CHECK(ids(second->journal) == range(104, 105));
    }
    SECTION("when it is stopped before") {
        rig.end(first, {"stopped", {}, {}});
        rig.run(second);
        CHECK(ids(second->journal) == range(102, 105));
        for (const auto& call : second->journal) CHECK_FALSE(call.redelivered);
    }
}

TEST_CASE("a generation with other filters judges everything that was not handed out anew") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p", {{"c", EventFilter{}.on("A")}});
    rig.live({{101, "A"}, {102, "B"}, {103, "A"}});
    REQUIRE(first->waiting() == 2);
    rig.load("p", {{"c", EventFilter{}.on("B")}, {"d", EventFilter{}.on("B")}});
    rig.live({{104, "A"}, {105, "B"}});
    rig.run(first);
    const auto second = rig.generations.back();
    rig.run(second);
    CHECK(ids(first->journal) == std::vector<EventId>{101, 103});
    CHECK(ids(second->journal) == std::vector<EventId>{105, 105});
    CHECK(rig.status("p").cursor == 105);
}

TEST_CASE("events of a page go out as one run, and those that are told apart as single ones") {
    const auto handed_out = [](std::vector<CallbackInfo> callbacks) {
        Rig rig(100);
        rig.begin();
        const auto plugin = rig.load("p", std::move(callbacks));
        rig.live(101, 104);
        std::vector<std::size_t> followed_by;
        rig.dispatcher->on_ended_call([&](const auto& call) { followed_by.push_back(call.followed_by); });
        rig.run(plugin);
        const auto others = plugin->runs.front().size();      // in one lot, or each alone
        CHECK(followed_by.front() == (others == 0 ? 0 : 1));  // three calls, of two callbacks at most
        CHECK(followed_by.back() == 0);
        rig.live({{105, "A"}, {106, "B"}, {107, "A"}});
        rig.run(plugin);
        CHECK(rig.status("p").cursor == 107);
        return std::pair(plugin->runs, plugin->batches);
    };
    const auto [runs, batches] = handed_out({{"all", {}}, {"some", EventFilter{}.on("A")}});
    CHECK(runs == std::vector<std::vector<std::size_t>>{{4}, {3}});
    CHECK(batches == std::vector<std::size_t>{4, 3});
    const auto [none, ones] = handed_out({{"all", {}, OnFailure::halt}});
    CHECK(none == std::vector<std::vector<std::size_t>>(7));
    CHECK(ones == std::vector<std::size_t>(7, 1));
}

TEST_CASE("a run that is cut short anywhere loses nothing, and tells what may have run before") {
    dispatch::Settings settings;
    settings.window_events = 5;
    Rig rig(100, settings);
    rig.begin();
    auto plugin = rig.load("p", {{"a", {}}, {"b", {}}});
    rig.live(101, 120);
    rig.finish_one(plugin);  // one callback of the first event: the other is owed
    CHECK(rig.status("p").pending == 1);
    rig.finish_one(plugin);
    rig.finish_one(plugin, false);
    rig.finish_one(plugin);
    CHECK(rig.status("p").cursor == 102);
    rig.end(plugin, {"killed by SIGSEGV", {plugin->begin_next()}, ""});
    const auto before = plugin->journal;
    CHECK(before.back() == Call{103, "a", 1, false});

    plugin = rig.load("p", {{"a", {}}, {"b", {}}});
    rig.pass(1min);
    rig.run(plugin);
    rig.pass(1h);
    rig.run(plugin);
    auto calls = plugin->journal;
    std::sort(calls.begin(), calls.end(), [](const auto& one, const auto& other) {
        return std::pair(one.event, one.callback) < std::pair(other.event, other.callback);
    });
    std::vector<Call> expected{{102, "a", 2, false}, {103, "a", 2, true}, {103, "b", 1, false}};
    for (EventId id = 104; id <= 120; ++id)
        for (const auto* name : {"a", "b"}) expected.push_back({id, name, 1, false});
    CHECK(calls == expected);
    CHECK(rig.status("p").cursor == 120);
    CHECK(rig.status("p").pending == 0);
}
