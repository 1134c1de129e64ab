// Callbacks that are coroutines, in a real host.

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;
using plugins::Isolation;

TEST_CASE("a callback that is a coroutine ends where it ends, on whatever thread, and so does its failure") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION((isolation == Isolation::thread ? "thread" : "process")) {
            Rig rig({"awaits"});
            rig.options.defaults.isolation = isolation;
            rig.start();
            REQUIRE(rig.wait_ready("awaits"));
            rig.deliver("awaits", {{make_event(1), {0}, 1, false},
                                   {make_event(2, "Elsewhere"), {0}, 1, false},
                                   {make_event(3, "Bad"), {0}, 1, false},
                                   {make_event(4, "Throws"), {0}, 1, false},
                                   {make_event(5), {0}, 1, false}});
            REQUIRE(rig.wait_outcomes("awaits", 5));
            const auto& outcomes = rig.owner.outcomes["awaits"];
            for (std::size_t i = 0; i < 5; ++i) CHECK(outcomes[i].event == static_cast<EventId>(i + 1));
            CHECK((outcomes[0].ok && outcomes[1].ok && outcomes[4].ok));
            CHECK((!outcomes[2].ok && outcomes[2].cause == Cause::network));
            CHECK(outcomes[2].error == "the far end hung up");
            CHECK((!outcomes[3].ok && outcomes[3].error == "std::runtime_error: after a resume"));
            CHECK(rig.wait([&] { return rig.logs["awaits"].count("left") == 5; }));
            CHECK(rig.logs["awaits"].count("resumed") == 3);
            CHECK(rig.owner.ends.empty());
        }
    }
}

TEST_CASE("the event of a coroutine is running until it ends, and a stop reaches the work it waits for") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION((isolation == Isolation::thread ? "thread" : "process")) {
            Rig rig({"awaits"});
            rig.options.defaults.isolation = isolation;
            ManualClock clock;
            Loop loop(clock);
            rig.options.defaults.hard_deadline = 60s;
            rig.options.kill_grace = 1h;
            rig.set = plugins::PluginSet::make(
                rig.options, loop, rig.site, rig.owner, rig.log,
                [&](const std::string& plugin) -> Logger& { return rig.logs[plugin]; });
            rig.set->start(nullptr);
            const auto wait = [&](auto condition, std::chrono::milliseconds step = 0ms) {
                return wait_for([&] {
                    clock.advance(step);
                    loop.run_ready();
                    return condition();
                });
            };
            REQUIRE(wait([&] { return rig.owner.ready.contains("awaits"); }));
            rig.deliver("awaits", {{make_event(1, "Hold"), {0}, 1, false}, {make_event(2), {0}, 1, false}});
            REQUIRE(wait([&] { return rig.owner.outcomes["awaits"].size() == 2; }, 500ms));
            const auto& outcomes = rig.owner.outcomes["awaits"];
            CHECK((outcomes[0].event == 1 && !outcomes[0].ok && outcomes[0].cause == Cause::stopped));
            CHECK((outcomes[1].event == 2 && outcomes[1].ok));
            CHECK(rig.owner.ends.empty());
            rig.set.reset();
        }
    }
}
