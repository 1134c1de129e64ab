// A callback that never returns.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

namespace stuck_test {

using namespace sg;
using namespace std::chrono_literals;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;

TEST_CASE(
    "C77 a callback that never returns is reported, shown as stuck, costs nobody, and ends with the daemon") {
    sandbox::Site site;
    site.add_event(event(100));
    const nlohmann::json never{{{"do", "gate"}, {"file", "@DIR@/open"}, {"events", {101}}}};
    for (const auto* hard : {"30d", "1s"}) {
        DYNAMIC_SECTION("hard deadline " << hard) {
            Home home(site,
                      {test::scripted("hangs", {{"rules", never}},
                                      {{"soft_deadline", "100ms"}, {"hard_deadline", hard}}),
                       test::recorder()},
                      {{"drain_time", "1s"}, {"plugin_defaults", {{"start", 100}}}});
            if (site.newest_id() == 100) site.add_events(100, "Shotgun_Shot_Change");
            Daemon daemon(home);
            INFO(daemon.log());
            REQUIRE(daemon.wait_for_cursor("recorder", 200));
            REQUIRE(daemon.wait_for_log("[CALL-SLOW]"));
            if (std::string(hard) == "1s") {
                REQUIRE(daemon.wait_for_log("[CALL-OVERDUE]"));
                REQUIRE(daemon.wait_for_cursor("hangs", 200));  // the rest went on in a new process
            } else {
                CHECK(test::wait_for([&] { return test::shown_state(home, "hangs") == "stuck"; }, 60s));
                CHECK(test::shown_state(home, "recorder") == "running");
                const auto asked = std::chrono::steady_clock::now();
                CHECK(daemon.terminate() == Ended{0, 0});
                CHECK(std::chrono::steady_clock::now() - asked < 30s);
                CHECK(daemon.count_in_log("[DRAIN-CUT]") == 1);
            }
        }
    }
}

}  // namespace stuck_test
