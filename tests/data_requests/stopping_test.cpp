// Stopping requests of a host, and hosts with requests.

#include <csignal>

#include "data_requests/live.hpp"
#include "retriever/gated_clock.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T124: a queued request of a host is stopped by the uid it returned, and never reaches the site") {
    Live live;
    const auto gate = live.hold("read");
    live.start({Live::find("a")});
    REQUIRE(live.wait_held(gate));
    const auto queued = live.queued();
    const auto uids = live.start({Live::find("b")});
    REQUIRE(live.wait_queued(queued + 1));
    CHECK(live.run({{"do", "stop_uid"}, {"uid", uids.at("b")}}) == true);
    CHECK(live.run({{"do", "stop_uid"}, {"uid", uids.at("b")}}) == false);
    REQUIRE(live.wait_queued(queued));  // the host knows at once, the daemon when it has been told
    gate->open();
    const auto signals = live.wait(2);
    CHECK(Live::of(signals, "a") == "c");
    CHECK(Live::of(signals, "b") == "x");
    CHECK(live.run({{"do", "get"}, {"name", "b"}}).at("cause") == "stopped");
    live.start({Live::find("c")});
    live.wait(3);
    CHECK(live.studio.site.request_count("read") == 2);
}

TEST_CASE("T125: a running request of a host is cancelled at once, and the daemon's call is given up") {
    Live live;
    const auto gate = live.hold("read");
    live.start({Live::find("a")});
    REQUIRE(live.wait_held(gate));
    CHECK(live.run({{"do", "stop"}, {"name", "a"}}) == true);
    CHECK(Live::of(live.wait(1), "a") == "x");
    // With one worker, the next one is answered only if the call was given up.
    live.start({Live::find("b")});
    CHECK(Live::of(live.wait(2), "b") == "c");
    gate->open();
    CHECK(live.run({{"do", "signals"}}).size() == 2);
}

TEST_CASE("T126: a thumbnail of a host that waits for its download is stopped, and not fetched") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto gate = live.hold("read");
    live.start({Live::find("held")});
    REQUIRE(live.wait_held(gate));
    const auto before = live.studio.site.request_count();
    const auto queued = live.queued();
    live.start({live.thumbnail("t", url)});
    REQUIRE(live.wait_queued(queued + 1));
    CHECK(live.run({{"do", "stop"}, {"name", "t"}}) == true);
    REQUIRE(live.wait_queued(queued));
    gate->open();
    const auto signals = live.wait(2);
    CHECK(Live::of(signals, "t") == "x");
    live.start({Live::find("next")});
    live.wait(3);
    CHECK(live.studio.site.request_count() == before + 1);
}

TEST_CASE("T127: stopping what has ended, or was never there, is too late in a host") {
    Live live;
    const auto uids = live.start({Live::find("a")});
    live.wait(1);
    CHECK(live.run({{"do", "stop_uid"}, {"uid", uids.at("a")}}) == false);
    CHECK(live.run({{"do", "stop_uid"}, {"uid", 123456789}}) == false);
}

TEST_CASE("T128: a host clears what is not worked on, counts it, and lets the rest end") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto gate = live.hold("read");
    live.start({Live::find("a")});
    REQUIRE(live.wait_held(gate));
    live.start({Live::find("b"), live.thumbnail("t", url)});
    CHECK(live.run({{"do", "clear"}}) == 2);
    auto signals = live.wait(2);
    CHECK(Live::of(signals, "b") == "x");
    CHECK(Live::of(signals, "t") == "x");
    CHECK(Live::of(signals, "a").empty());
    gate->open();
    signals = live.wait(3);
    CHECK(Live::of(signals, "a") == "c");
}

TEST_CASE("T128: clearing reaches methods that have not begun, and what the host holds back") {
    Live live;
    const auto gate = live.hold("read");
    live.start({Live::find("held")});
    REQUIRE(live.wait_held(gate));
    const auto door = (live.rig.dir / "door").string();
    // Eight threads for methods, and one more than those; more finds than the daemon takes at once.
    live.run({{"do", "start"},
              {"all", json::array({{{"name", "m"}, {"what", "method"}, {"gate", door}}})},
              {"times", 9}});
    live.run({{"do", "start"}, {"all", json::array({Live::find("f")})}, {"times", 400}});
    const auto cleared = live.run({{"do", "clear"}}).get<int>();
    CHECK(cleared >= 401);
    CHECK(cleared <= 409);  // methods that had not come to their threads yet
    std::ofstream(door) << "open";
    gate->open();
    const auto ended = live.run({{"do", "wait"}, {"count", 410}, {"brief", true}});
    CHECK(ended.at("x") == cleared);
    CHECK(ended.at("c") == 410 - cleared);
    CHECK(ended.at("own") == 410);
    CHECK(live.studio.site.request_count("read") == 1);
}

TEST_CASE("T129, T130: a host's check that a clear finds on a worker tells a hit, and fetches nothing") {
    const auto clock = std::make_shared<GatedClock>();
    Live live({.cache_clock = clock});
    const auto url = live.studio.site.url() + "/images/status/transient/thumbnail_pending.png";
    live.start({live.thumbnail("first", url)});
    REQUIRE(Live::of(live.wait(1), "first") == "c");
    REQUIRE(live.wait_idle());  // or the next one would join it
    const bool is_too_old = GENERATE(true, false);
    if (is_too_old) clock->advance(21s);
    const auto requests = live.studio.site.request_count();
    clock->is_gated = true;
    live.start({live.thumbnail("again", url)});
    // What the host asks comes to the pool by the loop, which a wait at the door would not run.
    REQUIRE(live.rig.wait([&] { return clock->door.entered() > 0; }));
    CHECK(live.run({{"do", "clear"}}) == 0);
    clock->is_gated = false;
    clock->door.open();
    CHECK(Live::of(live.wait(2), "again") == (is_too_old ? "x" : "c"));
    CHECK(live.studio.site.request_count() == requests);
}

TEST_CASE("T131: a download of a host that is under way when it clears ends, and is kept") {
    Live live;
    const auto [version, url] = live.studio.thumbnail("picture");
    const auto gate = live.hold("file_serve");
    live.start({live.thumbnail("t", url)});
    REQUIRE(live.wait_held(gate));
    CHECK(live.run({{"do", "clear"}}) == 0);
    gate->open();
    const auto signals = live.wait(1);
    REQUIRE(Live::of(signals, "t") == "c");
    CHECK(bytes_of(Live::last(signals, "t").at("data").at("thumb_path").get<std::string>()) == "picture");
}

TEST_CASE("clearing is one plugin's own: another one's requests go on") {
    Live live({.plugins = {"a", "b"}});
    const auto gate = live.hold("read");
    live.start({Live::find("held")}, "a");
    REQUIRE(live.wait_held(gate));
    live.start({Live::find("mine"), Live::find("mine too")}, "a");
    live.start({Live::find("theirs")}, "b");
    CHECK(live.run({{"do", "clear"}}, "a") == 2);
    gate->open();
    CHECK(Live::of(live.wait(1, "b"), "theirs") == "c");
    CHECK(Live::of(live.wait(3, "a"), "held") == "c");
}

TEST_CASE("T132: a host that is killed has its requests cancelled, and the next one begins afresh") {
    Live live;
    live.rig.options.kill_grace = 10ms;
    const auto gate = live.hold("read");
    live.start({Live::find("a")});
    REQUIRE(live.wait_held(gate));
    live.run({{"do", "start"}, {"all", json::array({Live::find("f")})}, {"times", 300}});
    REQUIRE(live.rig.set->status().at(0).pid > 0);
    ::kill(live.rig.set->status().at(0).pid, SIGKILL);
    REQUIRE(live.rig.wait([&] { return live.rig.owner.ends.size() == 1; }));
    REQUIRE(live.rig.wait_ready("a", 2));
    // With one worker this waits for the gate unless the dead host's requests are gone.
    const auto before = live.studio.site.request_count("read");
    live.start({Live::find("new")});
    const auto signals = live.wait(1);
    CHECK(signals.size() == 1);
    CHECK(Live::of(signals, "new") == "c");
    CHECK(live.studio.site.request_count("read") <= before + 1);
    gate->open();
}

TEST_CASE("T133: a host that is killed leaves another plugin's requests and the pool alone") {
    Live live({.plugins = {"a", "b"}});
    const auto gate = live.hold("read");
    live.start({Live::find("held")}, "a");
    REQUIRE(live.wait_held(gate));
    const auto queued = live.queued();
    live.start({Live::find("theirs")}, "b");
    REQUIRE(live.rig.wait([&] { return live.queued() > queued; }));  // with b's own cleaning, if that
    const auto status = live.rig.set->status();
    REQUIRE(status.at(0).plugin == "a");
    ::kill(status.at(0).pid, SIGKILL);
    REQUIRE(live.rig.wait([&] { return live.rig.owner.ends.size() == 1; }));
    gate->open();
    CHECK(Live::of(live.wait(1, "b"), "theirs") == "c");
    REQUIRE(live.rig.wait_ready("a", 2));
    live.start({Live::find("new")}, "a");
    CHECK(Live::of(live.wait(1, "a"), "new") == "c");
}

TEST_CASE("T132 T138 T139: a plugin in a thread is unloaded with requests and methods under way") {
    Live live({.isolation = plugins::Isolation::thread});
    for (int times = 1; times <= 20; ++times) {
        live.run({{"do", "start"}, {"all", json::array({Live::find("f")})}, {"times", 300}});
        live.run(
            {{"do", "start"}, {"all", json::array({{{"name", "m"}, {"what", "method"}}})}, {"times", 20}});
        live.rig.set->load("a");
        REQUIRE(live.rig.wait_ready("a", times + 1));
    }
    live.start({Live::find("last")});
    CHECK(Live::of(live.wait(1), "last") == "c");
    for (const auto& end : live.rig.owner.ends) CHECK(end.end.reason == "ended");
}

TEST_CASE("T134, T135: a daemon that stops cancels what hosts have asked, and what they still ask") {
    Live live;
    const auto gate = live.hold("read");
    live.start({Live::find("a"), Live::find("b")});
    REQUIRE(live.wait_held(gate));
    live.pool->shut_down();
    auto signals = live.wait(2);
    CHECK(Live::of(signals, "a") == "x");
    CHECK(Live::of(signals, "b") == "x");
    live.start({Live::find("late")});
    signals = live.wait(3);
    CHECK(Live::of(signals, "late") == "x");
    CHECK(live.run({{"do", "await"}, {"name", "late"}}).at("cause") == "stopped");
    gate->open();
}
