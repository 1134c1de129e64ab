// What the configuration lets a host have.

#include <sys/resource.h>

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("a host runs within the CPU time, open files and niceness that its plugin was given") {
    Rig rig({"tells_limits"});
    auto& own = rig.options.plugins["tells_limits"];
    own.cpu_time = 100s;
    own.open_files = 64;
    own.nice = 3;
    rig.start();
    REQUIRE(rig.wait_ready("tells_limits"));
    rig.deliver("tells_limits", 1);
    // 19 is the end: a test that is itself run politely has less room.
    const int nice = std::min(::getpriority(PRIO_PROCESS, 0) + 3, 19);
    const auto expected = "cpu_s=100 open_files=64 nice=" + std::to_string(nice) + " ";
    CHECK(rig.wait([&] { return rig.logs["tells_limits"].count(expected) == 1; }));
    INFO(rig.everything_logged());
    CHECK(rig.owner.ends.empty());
}

TEST_CASE("a plugin that uses up its CPU time is ended, explained, and started again") {
    Rig rig({"loops", "good"});
    rig.options.plugins["loops"].cpu_time = 1s;
    rig.start();
    REQUIRE(rig.wait_ready("loops"));
    rig.deliver("loops", 2, "Bad");
    REQUIRE(rig.wait_ready("good"));
    REQUIRE(wait_for(
        [&] {
            rig.loop.run_ready();
            return !rig.owner.ends.empty();
        },
        120s));
    INFO(rig.everything_logged());
    const auto& end = rig.owner.ends[0].end;
    CHECK((end.reason.find("killed by SIGXCPU") == 0 || end.reason.find("killed by SIGKILL") == 0));
    REQUIRE(end.running.size() == 1);
    CHECK(end.running[0].event == 2);
    CHECK(rig.wait_ready("loops", 2));
    rig.deliver("good", 1);
    CHECK(rig.wait_outcomes("good", 1));
}
