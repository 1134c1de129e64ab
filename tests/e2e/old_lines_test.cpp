// What people looked for in the old daemon's log, and where it is now: the table in docs/operating.md.

#include <set>
#include <sstream>

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace old_lines_test {

using namespace sg;
using namespace sg::test;

namespace {

/// The codes of the table, which has the old text in its first column.
std::set<std::string> documented() {
    std::set<std::string> codes;
    std::istringstream page(read_file(SG_OPERATING_PAGE));
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("| the old daemon said")) inside = true;
        if (line.empty()) inside = false;
        if (!inside) continue;
        const auto second = line.find('|', 1);
        for (auto at = line.find("`[", second); at != std::string::npos; at = line.find("`[", at + 1))
            codes.insert(line.substr(at + 1, line.find('`', at + 1) - at - 1));
    }
    return codes;
}

}  // namespace

TEST_CASE("C147 what the old daemon said, this one says with the code that the table has") {
    // On the disk's part, which a test may not break: tests/checkpoint/trouble_test.cpp.
    const std::set<std::string> elsewhere{"[STATE-UNSAVED]"};
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site,
              {scripted("fails", {{"rules", {{{"do", "throw"}, {"events", {101}}}}}}, {{"attempts", 2}})},
              {{"log", {{"level", "trace"}}}, {"site", {{"gap_timeout", "5s"}}}});
    const std::filesystem::path bad(SG_BAD_PLUGINS);
    home.add({"raises", bad / "plugins/throws_in_registration.so", {}, {}});
    home.add({"no_entry", bad / "plugins/no_entry.so", {}, {}});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"fails"}));
    REQUIRE(daemon.wait_for_log("[STARTED]"));
    site.add_event(event(101));  // fails
    REQUIRE(daemon.wait_for_log("[DEAD-LETTER]"));
    auto late = event(103);
    site.add_event(event(104));  // 102 never comes, 103 late
    REQUIRE(daemon.wait_for_log("[GAP-OPENED]"));
    site.add_event(late);
    REQUIRE(daemon.wait_for_log("[GAP-FILLED]"));
    REQUIRE(daemon.wait_for_log("[GAP-CLOSED]"));
    auto old = event(200);
    old.created_at = site.now() - std::chrono::hours(1);
    site.add_event(old);
    REQUIRE(daemon.wait_for_log("[GAP-OLD]"));
    site.refuse_connections();
    REQUIRE(daemon.wait_for_log("[SITE-DOWN]"));
    site.accept_connections();
    REQUIRE(daemon.wait_for_log("[SITE-BACK]"));
    daemon.signal(SIGINT);
    CHECK(daemon.wait() == Ended{0, 0});
    const auto codes = documented();
    CHECK(codes.size() >= 15);
    for (const auto& code : codes) {
        if (elsewhere.count(code) != 0) continue;
        INFO(code);
        CHECK(daemon.count_in_log(code) > 0);
    }
    CHECK(daemon.count_in_log("[STOPPING] Stopping: SIGINT") == 1);
    CHECK(daemon.count_in_log("[PLUGIN-REFUSED]") == 2);
}

}  // namespace old_lines_test
