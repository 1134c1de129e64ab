// A plugin dies again and again; the one beside it runs at full rate and does not notice.

#include "plugins/neighbour.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("beside every kind of crash another plugin handles thousands of events in order, none twice") {
    std::vector<const char*> all{"raises",         "exits",         "exits_elsewhere", "closes_descriptors",
                                 "writes_garbage", "giant_message", "half_message"};
    if (!with_sanitizer) {
        all.push_back("segv");
        all.push_back("aborts");
        all.push_back("overflows");
    }
    for (const auto* bad : all) {
        DYNAMIC_SECTION(bad) {
            Rig rig({bad, "good"});
            rig.start();
            REQUIRE(rig.wait_ready("good"));
            Neighbour neighbour(rig);
            constexpr std::size_t deaths = 3;
            for (std::size_t death = 1; death <= deaths; ++death) {
                REQUIRE(neighbour.run_until([&] {
                    return rig.owner.readies[bad] >= static_cast<int>(death) && rig.owner.ready.contains(bad);
                }));
                // One that it settles: the next host is then started without a pause.
                rig.deliver(bad, {{make_event(1), {0}, 1, false}, {make_event(2, "Bad"), {0}, 1, false}});
                const auto before = neighbour.handled();
                REQUIRE(neighbour.run_until([&] { return rig.owner.ends.size() >= death; }));
                // It goes on where the other has just died.
                REQUIRE(neighbour.run_until_handled(before + 1000));
            }
            REQUIRE(neighbour.run_until_handled(3000));
            INFO(rig.everything_logged());
            CHECK(neighbour.complaint().empty());
            CHECK(rig.owner.ends.size() == deaths);
        }
    }
}

TEST_CASE(
    "beside a plugin that never comes back from a call another one handles thousands of events in order") {
    Rig rig({"loops", "silent_registration", "good"});
    rig.options.plugins["loops"].hard_deadline = 300ms;
    rig.options.registration_deadline = 10s;
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    REQUIRE(rig.wait_ready("loops"));
    Neighbour neighbour(rig);
    rig.deliver("loops", 1, "Bad");
    REQUIRE(neighbour.run_until([&] { return !rig.owner.ends.empty(); }));
    CHECK(rig.owner.ends[0].end.reason.find("passed its hard deadline") != std::string::npos);
    REQUIRE(neighbour.run_until_handled(3000));
    CHECK(neighbour.complaint().empty());
}

TEST_CASE("beside a plugin at its memory limit another one handles thousands of events in order") {
    if (with_sanitizer) return;  // a sanitizer reserves more address space than any limit
    Rig rig({"eats_memory", "good"});
    rig.options.plugins["eats_memory"].memory_bytes = 512u << 20;
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    REQUIRE(rig.wait_ready("eats_memory"));
    Neighbour neighbour(rig);
    rig.deliver("eats_memory", 1, "Bad");
    REQUIRE(neighbour.run_until(
        [&] { return !rig.owner.ends.empty() || !rig.owner.outcomes["eats_memory"].empty(); }));
    REQUIRE(neighbour.run_until_handled(3000));
    CHECK(neighbour.complaint().empty());
}
