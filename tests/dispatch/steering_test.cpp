// Plugins that a person pauses, sends elsewhere, or lets go of an event.
#include "scripted.hpp"

using namespace sg;
using namespace sg::test;
using dispatch::LaneState;
using dispatch::Steered;
using dispatch::Steering;

namespace {

/// What came of it, once somebody was told.
struct Told {
    int times = 0;
    std::string error;
    Steered said;
};

Told steer(Rig& rig, Steering what) {
    auto told = std::make_shared<Told>();
    what.plugin = what.plugin.empty() ? "p" : what.plugin;
    what.caller = "uid 7 (ann), pid 8";
    rig.dispatcher->steer(what, [told](Result<Steered> result) {
        ++told->times;
        if (result)
            told->said = *result;
        else
            told->error = result.error().message;
    });
    rig.settle_loop();
    return *told;
}

Told seek(Rig& rig, std::optional<EventId> next) { return steer(rig, {Steering::Act::seek, {}, {}, next}); }

const std::vector<CallbackInfo> stands_if_it_fails{{"all", {}, OnFailure::halt}};

}  // namespace

TEST_CASE("C139 a paused plugin gets nothing, also after a restart, and all of it when it is resumed") {
    const bool is_killed = GENERATE(false, true);
    Rig rig;
    rig.begin();
    auto plugin = rig.load("p");
    auto other = rig.load("other");
    rig.live(101, 101);
    rig.run(plugin);
    REQUIRE(steer(rig, {Steering::Act::pause}).times == 1);
    rig.live(102, 104);
    rig.run(other);
    CHECK(ids(other->journal) == range(101, 104));
    CHECK(plugin->is_idle());
    CHECK(rig.status("p").state == LaneState::paused);
    CHECK(rig.status("p").why.find("by uid 7 (ann), pid 8") != std::string::npos);
    CHECK(rig.log.count("[PLUGIN-PAUSED]") == 1);

    if (is_killed)
        rig.crash();
    else
        rig.stop();
    rig.boot();
    rig.begin();
    plugin = rig.load("p");
    other = rig.load("other");
    rig.live(105, 105);
    rig.run(other);
    CHECK(other->journal.back().event == 105);
    CHECK(plugin->is_idle());
    CHECK(rig.status("p").state == LaneState::paused);
    REQUIRE(steer(rig, {Steering::Act::resume}).times == 1);
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(102, 105));
    CHECK(rig.status("p").state == LaneState::level);
    rig.stop();
    rig.boot();
    CHECK(rig.store->snapshot().paused.empty());
}

TEST_CASE("C139 what a paused plugin owes waits too, and what it has in hand ends") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live(101, 102);
    rig.finish_one(plugin, false);
    REQUIRE_FALSE(plugin->is_idle());
    steer(rig, {Steering::Act::pause});
    rig.finish_one(plugin);
    rig.pass(1h);
    CHECK(plugin->is_idle());
    CHECK(rig.status("p").pending == 1);
    steer(rig, {Steering::Act::resume});
    rig.run(plugin);
    CHECK(plugin->journal.back() == Call{101, "all", 2, false});
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("C140 a plugin that is sent elsewhere gets exactly the next event, and the others notice nothing") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p");
    const auto other = rig.load("other");
    steer(rig, {Steering::Act::pause});
    rig.live(101, 200);
    rig.run(other);
    REQUIRE(rig.status("p").cursor == 100);
    steer(rig, {Steering::Act::resume});
    REQUIRE_FALSE(plugin->is_idle());  // it has some in hand: these end first
    EventId last = 0;
    const auto forward = std::make_shared<Told>();
    rig.dispatcher->steer({Steering::Act::seek, "p", "ann", 150}, [forward](Result<Steered> result) {
        REQUIRE(result);
        ++forward->times;
        forward->said = *result;
    });
    CHECK(forward->times == 0);
    while (forward->times == 0) {
        last = plugin->next().event;
        rig.finish_one(plugin);
    }
    REQUIRE_FALSE(plugin->is_idle());
    CHECK(plugin->next().event == 150);
    CHECK(forward->said.first == last + 1);
    CHECK(forward->said.last == 149);
    rig.run(plugin);
    CHECK(plugin->journal.back().event == 200);

    const auto back = seek(rig, 120);
    CHECK(back.said.again_first == 120);
    CHECK(back.said.again_last == 200);
    REQUIRE_FALSE(plugin->is_idle());
    CHECK(plugin->next() == Call{120, "all", 1, true});
    plugin->journal.clear();
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(120, 200));

    CHECK(seek(rig, 202).error == "there is no event 202 yet; the newest one is 200");
    CHECK(seek(rig, std::nullopt).said.next == 201);
    CHECK(plugin->is_idle());
    rig.live(201, 201);
    CHECK(plugin->next().event == 201);
    rig.run(other);
    CHECK(ids(other->journal) == range(101, 201));
    CHECK(rig.log.count("[LANE-SEEK]") == 3);
    CHECK(rig.log.count("skipped=[" + std::to_string(last + 1) + "-149] again=[] by=[ann]") == 1);
}

TEST_CASE("C140 the place that a plugin was sent to is the one it has after a restart") {
    const bool is_killed = GENERATE(false, true);
    const EventId to = GENERATE(111, 140);
    Rig rig;
    rig.begin();
    rig.load("p");
    rig.live(101, 150);
    rig.run(rig.generations.back(), [](const Call& call) { return call.event != 105 && call.event != 112; });
    REQUIRE(rig.status("p").pending == 2);
    seek(rig, to);
    // What is owed of events below stays owed, what is above comes anew.
    CHECK(rig.status("p").pending == (to == 111 ? 1 : 2));
    if (is_killed)
        rig.crash();
    else
        rig.stop();
    rig.boot();
    rig.begin();
    const auto plugin = rig.load("p");
    rig.settle_loop();
    rig.pass(1h);
    rig.run(plugin);
    std::vector<EventId> got = ids(plugin->journal);
    std::sort(got.begin(), got.end());
    auto expected = range(to, 150);
    if (to > 112) expected.insert(expected.begin(), 112);
    expected.insert(expected.begin(), 105);
    CHECK(got == expected);
}

TEST_CASE("C140 a plugin that stands at an event is let go of it, and says who did so") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p", stands_if_it_fails);
    CHECK(steer(rig, {Steering::Act::skip}).error == "p stands at no event");
    rig.live(101, 105);
    rig.run(plugin, [](const Call& call) { return call.event != 102; });
    REQUIRE(rig.status("p").state == LaneState::halted);
    const bool by_seek = GENERATE(false, true);
    const auto told = by_seek ? seek(rig, 103) : steer(rig, {Steering::Act::skip});
    CHECK(told.error == "");
    CHECK(told.said.first == 102);
    CHECK(told.said.last == 102);
    plugin->journal.clear();
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(103, 105));
    CHECK(rig.status("p").state == LaneState::level);
    CHECK(rig.status("p").pending == 0);
    CHECK(rig.log.count("[LANE-RESUMED]") == 1);
    if (!by_seek)
        CHECK(
            rig.log.count("[EVENT-SKIPPED] A plugin that stood at an event lets it go. plugin=p callback=all "
                          "event=102 by=[uid 7 (ann), pid 8]") == 1);
    rig.stop();
    rig.boot();
    CHECK(rig.store->snapshot().pending.empty());
    CHECK(rig.store->snapshot().plugins.at("p").cursor == 105);
}

TEST_CASE("a retry that somebody asks for does not wait for its time, and is refused where nothing is owed") {
    Rig rig;
    rig.begin();
    const auto plugin = rig.load("p", stands_if_it_fails);
    CHECK(steer(rig, {Steering::Act::retry}).error == "p waits for no next try");
    rig.live(101, 102);
    rig.finish_one(plugin, false);
    REQUIRE(plugin->is_idle());
    const auto told = steer(rig, {Steering::Act::retry});
    CHECK(told.said.text == "p tries 1 call again");
    REQUIRE(plugin->waiting() == 1);
    CHECK(plugin->next() == Call{101, "all", 2, false});
    CHECK(rig.log.count("[RETRY-NOW]") == 1);
    CHECK(steer(rig, {Steering::Act::retry}).error == "p waits for no next try");  // it runs
    rig.run(plugin);
    CHECK(rig.status("p").cursor == 102);
}
