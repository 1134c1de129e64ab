// What a kill repeats, and how it is marked.
#include "scripted.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("after a kill only what was not durably settled comes again, and is marked") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live(101, 110);
    for (int i = 0; i < 4; ++i) rig.finish_one(first);
    rig.crash();
    rig.boot();
    CHECK_FALSE(rig.store->snapshot().clean);
    rig.begin();
    const auto second = rig.load("p");
    rig.run(second);
    CHECK(ids(second->journal) == range(105, 110));
    for (const auto& call : second->journal) CHECK((call.redelivered && call.attempt == 1));
    second->journal.clear();
    rig.live(1000, 1002);
    rig.run(second);
    CHECK(ids(second->journal) == range(1000, 1002));
    for (const auto& call : second->journal) CHECK_FALSE(call.redelivered);
}

TEST_CASE("an event that was handed out is marked after a kill at any moment") {
    for (int round = 0; round < 20; ++round) {
        Rig rig;
        rig.begin();
        const auto first = rig.load("p");
        // Far apart, so that each needs a reservation of its own.
        EventId id = 101;
        for (int i = 0; i < round % 4; ++i, id += 5000) {
            rig.live({{id}});
            rig.finish_one(first);
        }
        rig.dispatcher->on_live(rig.source.next_live({{id}}));
        // No flush: the kill comes as soon as the event is with the host.
        REQUIRE(wait_for([&] {
            rig.loop.run_ready();
            return !first->is_idle();
        }));
        rig.crash(Rig::Saved::no);
        rig.boot();
        rig.begin();
        const auto second = rig.load("p");
        rig.run(second);
        REQUIRE(!second->journal.empty());
        CHECK(second->journal.back() == Call{id, "all", 1, true});
    }
}

TEST_CASE("a kill repeats no callback that had ended while another one of its event was running") {
    Rig rig;
    rig.begin();
    const std::vector<CallbackInfo> three{{"c1", {}}, {"c2", {}}, {"c3", {}}};
    const auto first = rig.load("p", three);
    rig.live(101, 103);
    SECTION("and succeeded") {
        rig.finish_one(first);
        rig.crash();
        rig.boot();
        rig.begin();
        const auto second = rig.load("p", three);
        rig.run(second);
        REQUIRE(second->journal.size() == 8);
        CHECK(second->journal[0] == Call{101, "c2", 1, true});
        CHECK(second->journal[1] == Call{101, "c3", 1, true});
        CHECK(second->journal[2] == Call{102, "c1", 1, true});
    }
    SECTION("and failed") {
        rig.finish_one(first, false);
        rig.crash();
        rig.boot();
        REQUIRE(rig.store->snapshot().pending.size() == 3);
        CHECK(rig.store->snapshot().pending[0].attempts == 1);
    }
    SECTION("and there was no kill at all") {
        rig.finish_one(first);
        CHECK(rig.status("p").cursor == 101);
        CHECK(rig.status("p").outstanding == 4);
        rig.run(first);
        CHECK(first->journal.size() == 9);
        CHECK(rig.status("p").pending == 0);
        CHECK(rig.log.count("[LANE-OUTCOME]") == 0);
    }
    rig.crash();
    rig.boot();
}

TEST_CASE("a mark is kept by daemons that do not come to its event") {
    Rig rig;
    rig.begin();
    const std::vector<CallbackInfo> two{{"c1", {}}, {"c2", {}}};
    const auto first = rig.load("p", two);
    rig.live(101, 101);
    rig.finish_one(first);  // c2 is running
    rig.crash();
    rig.boot();
    rig.begin();
    rig.stop();
    rig.boot();
    REQUIRE(rig.store->snapshot().clean);
    rig.begin();
    const auto second = rig.load("p", two);
    rig.run(second);
    CHECK(second->journal == std::vector<Call>{{101, "c2", 1, true}});
}

TEST_CASE(
    "what a kill left unknown is marked until it succeeds, also where a later try fails or never starts") {
    Rig rig;
    rig.begin();
    const std::vector<CallbackInfo> two{{"c1", {}}, {"c2", {}}};
    rig.load("p", two);
    rig.live(101, 101);
    rig.crash();
    rig.boot();
    rig.begin();
    const auto second = rig.load("p", two);
    rig.settle_loop();
    SECTION("a try fails") {
        rig.run(second, [](const Call&) { return false; });
        rig.pass(1s);
        CHECK(second->waiting() == 2);
        rig.run(second);
        CHECK(second->journal[2] == Call{101, "c1", 2, true});
        CHECK(second->journal[3] == Call{101, "c2", 2, true});
    }
    SECTION("the host dies at the callback before it") {
        rig.end(second, {"killed", {second->begin_next()}, {}});
        const auto third = rig.load("p", two);
        rig.run(third);
        CHECK(third->journal == std::vector<Call>{{101, "c2", 1, true}});
    }
}

TEST_CASE("after an orderly stop nothing comes again and nothing is marked") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live(101, 110);
    rig.finish_one(first);
    std::optional<std::size_t> left;
    rig.dispatcher->drain(10s, [&](std::size_t n) { left = n; });
    rig.live(111, 112);
    CHECK_FALSE(left);
    rig.run(first);
    REQUIRE(left == 0);
    CHECK(ids(first->journal) == range(101, 110));
    rig.stop();
    rig.boot();
    CHECK(rig.store->snapshot().clean);
    CHECK(rig.store->snapshot().plugins.at("p").cursor == 110);
    CHECK(rig.store->snapshot().plugins.at("p").handed_out == 110);
    rig.begin();
    const auto second = rig.load("p");
    rig.run(second);
    CHECK(ids(second->journal) == range(111, 112));
    for (const auto& call : second->journal) CHECK_FALSE(call.redelivered);
}

TEST_CASE("a drain ends at its deadline and says what is left, which comes again, marked") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live(101, 103);
    rig.finish_one(first);
    std::optional<std::size_t> left;
    rig.dispatcher->drain(5s, [&](std::size_t n) { left = n; });
    rig.pass(4s);
    CHECK_FALSE(left);
    rig.pass(1s);
    REQUIRE(left == 2);
    SECTION("the host is stopped and tells what ran") {
        rig.end(first, {"stopped", {first->begin_next()}, {}});
        rig.stop();
        rig.boot();
        rig.begin();
        const auto second = rig.load("p");
        rig.run(second);
        CHECK(second->journal == std::vector<Call>{{103, "all", 1, false}});
        rig.pass(2s);
        REQUIRE(second->waiting() == 1);
        CHECK(second->next() == Call{102, "all", 2, true});
    }
    SECTION("nothing is known of the host") {
        rig.stop();
        rig.boot();
        rig.begin();
        const auto second = rig.load("p");
        rig.run(second);
        CHECK(second->journal == std::vector<Call>{{102, "all", 1, true}, {103, "all", 1, true}});
    }
}

TEST_CASE("a drain with nothing in hand ends at once") {
    Rig rig;
    rig.begin();
    rig.load("p");
    std::optional<std::size_t> left;
    rig.dispatcher->drain(5s, [&](std::size_t n) { left = n; });
    rig.loop.run_ready();
    CHECK(left == 0);
}

TEST_CASE("what is owed survives a restart with its attempts, its pause and its last error") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p", {{"c1", {}}, {"c2", {}}});
    rig.live({{101, "Shotgun_Shot_Change", "code", 321}});
    rig.run(first, [](const Call& call) { return call.callback != "c2"; });
    rig.crash();
    rig.boot();
    REQUIRE(rig.store->snapshot().pending.size() == 1);
    const auto& row = rig.store->snapshot().pending.front();
    CHECK(row.callback == "c2");
    CHECK(row.attempts == 1);
    CHECK(row.last_error == "it broke");
    CHECK(row.body == std::string(321, 'x'));
    CHECK(row.type == "Shotgun_Shot_Change");
    rig.begin();
    const auto second = rig.load("p", {{"c1", {}}, {"c2", {}}});
    rig.run(second);
    CHECK(second->journal.empty());
    rig.pass(1s);
    REQUIRE(second->waiting() == 1);
    CHECK(second->next() == Call{101, "c2", 2, true});
    rig.run(second);
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("what is owed is tried again while the site is away") {
    Rig rig;
    rig.begin();
    rig.live(101, 101);
    const auto first = rig.load("p");
    rig.live(102, 102);
    rig.run(first, [](const Call&) { return false; });
    rig.crash();
    rig.boot();
    const auto second = rig.load("p");
    rig.pass(2s);
    rig.run(second);
    CHECK(ids(second->journal) == range(102, 102));
}

TEST_CASE("a wall clock that was set back does not put a try off for ever") {
    Rig rig;
    rig.begin();
    const auto first = rig.load("p");
    rig.live(101, 101);
    rig.run(first, [](const Call&) { return false; });
    rig.crash();
    rig.clock.set_utc(rig.clock.utc() - 1000h);
    rig.boot();
    rig.begin();
    const auto second = rig.load("p");
    rig.pass(5min);
    CHECK(second->waiting() == 1);
}
