// Each way in which a plugin can go wrong costs its own host, and nobody else anything.

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;

namespace {

struct Bad {
    const char* plugin;
    const char* reason;
    bool has_event = true;  // the event in hand is named
};

}  // namespace

TEST_CASE("a plugin that goes wrong is contained, explained, started again, and disturbs no other") {
    std::vector<Bad> all{{"exits", "exited with 0"},
                         {"exits_elsewhere", "exited with 3"},
                         {"writes_garbage", "broke the protocol: the other side speaks version"},
                         {"giant_message", "broke the protocol: a message of 1073741824 bytes"},
                         {"half_message", "exited with 7"},
                         {"raises", "killed by SIGSEGV"}};
    if (!with_sanitizer) {
        all.push_back({"segv", "killed by SIGSEGV"});
        all.push_back({"aborts", "killed by SIGABRT"});
        all.push_back({"overflows", "killed by SIGSEGV"});
    }
    for (const auto& bad : all) {
        DYNAMIC_SECTION(bad.plugin) {
            Rig rig({bad.plugin, "good"});
            rig.start();
            REQUIRE(rig.wait_ready(bad.plugin));
            REQUIRE(rig.wait_ready("good"));
            rig.deliver(bad.plugin, {{make_event(1), {0}, 1, false},
                                     {make_event(2, "Bad"), {0}, 1, false},
                                     {make_event(3), {0}, 1, false}});
            for (EventId id = 1; id <= 200; ++id) rig.deliver("good", id);
            REQUIRE(rig.wait([&] { return !rig.owner.ends.empty(); }));
            const auto& end = rig.owner.ends.front();
            INFO(rig.everything_logged());
            CHECK(end.plugin == bad.plugin);
            CHECK(end.end.reason.find(bad.reason) != std::string::npos);
            // A host that was ended for what it said may have gone on with the next event by then.
            const auto& outcomes = rig.owner.outcomes[bad.plugin];
            REQUIRE_FALSE(outcomes.empty());
            CHECK(outcomes[0].event == 1);
            CHECK(outcomes[0].ok);
            if (std::string(end.end.reason).find("protocol") == std::string::npos) {
                REQUIRE(end.end.running.size() == 1);
                CHECK(end.end.running[0].event == 2);
                CHECK(outcomes.size() == 1);
            }
            CHECK(rig.logs[bad.plugin].count("[HOST-DIED]") == 1);
            // The next host of the same build serves at once.
            REQUIRE(rig.wait_ready(bad.plugin, 2));
            rig.deliver(bad.plugin, 3);
            CHECK(rig.wait([&] { return rig.owner.outcomes[bad.plugin].back().event == 3; }));
            REQUIRE(rig.wait_outcomes("good", 200));
            CHECK(rig.owner.readies["good"] == 1);
            CHECK(rig.owner.ends.size() == 1);
        }
    }
}

TEST_CASE("a host whose link its plugin has closed is ended") {
    Rig rig({"closes_descriptors"});
    rig.start();
    REQUIRE(rig.wait_ready("closes_descriptors"));
    rig.deliver("closes_descriptors", 1, "Bad");
    REQUIRE(rig.wait([&] { return !rig.owner.ends.empty(); }));
    // It had ended by then: the page says so, where no message could any more.
    CHECK(rig.wait_outcomes("closes_descriptors", 1));
    CHECK(rig.wait_ready("closes_descriptors", 2));
}

TEST_CASE("a plugin that takes all memory fails at its limit, alone") {
    if (with_sanitizer) return;  // a sanitizer reserves more address space than any limit
    Rig rig({"eats_memory", "good"});
    rig.options.plugins["eats_memory"].memory_bytes = 512u << 20;
    rig.start();
    REQUIRE(rig.wait_ready("eats_memory"));
    rig.deliver("eats_memory", 1, "Bad");
    REQUIRE(rig.wait([&] { return !rig.owner.ends.empty() || !rig.owner.outcomes["eats_memory"].empty(); }));
    if (rig.owner.ends.empty())
        CHECK(rig.owner.outcomes["eats_memory"][0].error == "std::bad_alloc: std::bad_alloc");
    REQUIRE(rig.wait_ready("good"));
    rig.deliver("good", 1);
    CHECK(rig.wait_outcomes("good", 1));
}

TEST_CASE("the end of what a host wrote to its standard error explains its death") {
    Rig rig({"floods"});
    rig.start();
    REQUIRE(rig.wait_ready("floods"));
    rig.deliver("floods", 1, "Bad");
    REQUIRE(rig.wait([&] { return !rig.owner.ends.empty(); }));
    INFO(rig.owner.ends[0].end.reason << rig.owner.ends[0].end.last_words);
    CHECK(rig.owner.ends[0].end.last_words.find("the last words") != std::string::npos);
    CHECK(rig.logs["floods"].count("[HOST-LINES-DROPPED]") >= 1);
    CHECK(rig.logs["floods"].lines().size() < 1000);
}

TEST_CASE("a host that dies with nothing in hand costs no event an attempt") {
    Rig rig({"dies_later"});
    rig.start();
    REQUIRE(rig.wait_ready("dies_later"));
    rig.deliver("dies_later", 1, "Bad");
    REQUIRE(rig.wait([&] { return rig.owner.ends.size() == 1; }));
    CHECK(rig.owner.ends[0].end.running.empty());
    CHECK(rig.owner.outcomes["dies_later"].size() == 1);
}

TEST_CASE("a plugin that dies while it registers is refused with the reason and tried again") {
    Rig rig({"crashes_in_registration", "good"});
    rig.start();
    REQUIRE(rig.wait([&] { return rig.owner.refusals.size() >= 2; }));
    CHECK(rig.owner.refusals[0].will_retry);
    if (!with_sanitizer)
        CHECK(rig.owner.refusals[0].why.message ==
              "its host killed by SIGABRT before the plugin was registered");
    CHECK(rig.wait_ready("good"));
}

TEST_CASE("pauses between deaths grow, and end with the first settled event") {
    Rig rig({"exits"});
    rig.start();
    for (int death = 1; death <= 3; ++death) {
        REQUIRE(rig.wait_ready("exits", death));
        rig.deliver("exits", death, "Bad");
        REQUIRE(rig.wait([&] { return rig.owner.ends.size() == static_cast<std::size_t>(death); }));
    }
    INFO(rig.everything_logged());
    CHECK(rig.logs["exits"].count("deaths=1 wait_s=0") == 1);
    CHECK(rig.logs["exits"].count("deaths=2 wait_s=1") == 1);
    CHECK(rig.logs["exits"].count("deaths=3 wait_s=2") == 1);
    REQUIRE(rig.wait_ready("exits", 4));
    rig.deliver("exits", 10);
    REQUIRE(rig.wait_outcomes("exits", 1));
    CHECK(rig.logs["exits"].count("[PLUGIN-RECOVERED]") == 1);
    rig.deliver("exits", 11, "Bad");
    REQUIRE(rig.wait([&] { return rig.owner.ends.size() == 4; }));
    CHECK(rig.logs["exits"].count("deaths=1 wait_s=0") == 2);
}
