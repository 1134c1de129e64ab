// Calls and registrations that take too long. Time is the test's.

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;
using plugins::Isolation;

namespace {

/// A rig whose clock the test moves.
struct TimedRig {
    explicit TimedRig(std::initializer_list<const char*> plugins) : base(plugins) {}
    void start() {
        set = plugins::PluginSet::make(
            base.options, loop, base.site, base.owner, base.log,
            [this](const std::string& plugin) -> Logger& { return base.logs[plugin]; });
        set->start(nullptr);
    }
    /// Lets time pass in small steps until `condition` holds.
    template <class Condition>
    bool wait(Condition condition, std::chrono::milliseconds step = 0ms) {
        return wait_for([&] {
            clock.advance(step);
            loop.run_ready();
            return condition();
        });
    }
    Rig base;
    ManualClock clock;
    Loop loop{clock};
    std::unique_ptr<plugins::PluginSet> set;
};

}  // namespace

TEST_CASE("a call past its soft deadline is warned of once, past its hard one its host is killed") {
    TimedRig rig({"loops", "good"});
    rig.base.options.plugins["loops"].soft_deadline = 10s;
    rig.base.options.plugins["loops"].hard_deadline = 60s;
    rig.start();
    REQUIRE(rig.wait(
        [&] { return rig.base.owner.ready.contains("loops") && rig.base.owner.ready.contains("good"); }));
    rig.base.deliver("loops", {{make_event(1), {0}, 1, false}, {make_event(2, "Bad"), {0}, 1, false}});
    REQUIRE(rig.wait([&] { return rig.base.logs["loops"].count("[CALL-SLOW]") == 1; }, 500ms));
    CHECK(rig.base.owner.ends.empty());
    CHECK(rig.base.logs["loops"].count("callback=* event=2 deadline=10 s") == 1);
    REQUIRE(rig.wait([&] { return !rig.base.owner.ends.empty(); }, 50ms));
    const auto& end = rig.base.owner.ends[0].end;
    CHECK(end.reason.find("passed its hard deadline of 60 s (killed by SIG") != std::string::npos);
    REQUIRE(end.running.size() == 1);
    CHECK(end.running[0].event == 2);
    REQUIRE(rig.base.owner.outcomes["loops"].size() == 1);
    CHECK(rig.base.logs["loops"].count("[CALL-SLOW]") == 1);
    CHECK(rig.base.logs["loops"].count("[CALL-OVERDUE]") == 1);
    rig.base.deliver("good", 1);
    CHECK(rig.wait([&] { return rig.base.owner.outcomes["good"].size() == 1; }));
    rig.set.reset();
}

TEST_CASE("a call that heeds its stop token at the hard deadline fails alone, and its host lives") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION((isolation == Isolation::thread ? "thread" : "process")) {
            TimedRig rig({"asks_site"});
            rig.base.options.defaults.isolation = isolation;
            rig.base.options.defaults.hard_deadline = 60s;
            rig.base.options.kill_grace = 1h;
            rig.base.site.answer = [](const auto&) -> host::SiteAnswer { return std::string("{}"); };
            rig.start();
            REQUIRE(rig.wait([&] { return rig.base.owner.ready.contains("asks_site"); }));
            rig.base.site.answer = nullptr;
            rig.base.deliver("asks_site", 1);
            REQUIRE(rig.wait([&] { return rig.base.site.waiting.size() == 1; }));
            REQUIRE(rig.wait([&] { return rig.base.owner.outcomes["asks_site"].size() == 1; }, 500ms));
            CHECK(rig.base.owner.outcomes["asks_site"][0].cause == Cause::stopped);
            CHECK(rig.base.owner.ends.empty());
            CHECK(rig.base.site.stops[0].stop_requested());
            rig.base.site.answer = [](const auto&) -> host::SiteAnswer { return std::string("{}"); };
            rig.base.deliver("asks_site", 2);
            REQUIRE(rig.wait([&] { return rig.base.owner.outcomes["asks_site"].size() == 2; }));
            CHECK(rig.base.owner.outcomes["asks_site"][1].ok);
            rig.set.reset();
        }
    }
}

TEST_CASE("a registration that says nothing is ended at its deadline and tried again") {
    TimedRig rig({"silent_registration", "good"});
    rig.base.options.registration_deadline = 20s;
    rig.start();
    REQUIRE(
        rig.wait([&] { return rig.base.logs["silent_registration"].count("registering for ever") == 1; }));
    CHECK(rig.wait([&] { return rig.base.owner.ready.contains("good"); }));
    REQUIRE(rig.wait([&] { return !rig.base.owner.refusals.empty(); }, 1000ms));
    CHECK(rig.base.owner.refusals[0].why.message == "not registered within 20 s");
    CHECK(rig.base.owner.refusals[0].will_retry);
    rig.set.reset();
}
