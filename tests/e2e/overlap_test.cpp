// Events that overlap, through the whole program.

#include <map>

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace overlap_test {

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Daemon;
using test::event;
using test::Home;
using test::scripted;

TEST_CASE("C80 three projects overlap, and inside each the order is kept") {
    for (const auto* isolation : {"process", "thread"}) {
        DYNAMIC_SECTION(isolation) {
            sandbox::Site site;
            site.add_event(event(100));
            const json args{{"concurrency", 4},
                            {"keep_order", "project"},
                            {"rules", json::parse(R"([{"do": "sleep", "ms": 10}])")}};
            Home home(site, {scripted("p", args, {{"isolation", isolation}})});
            Daemon daemon(home);
            REQUIRE(daemon.wait_until_followed({"p"}));
            for (std::int64_t id = 101; id <= 400; ++id) {
                auto row = event(id);
                row.project = {{"type", "Project"}, {"id", 60 + id % 3}, {"name", "a project"}};
                site.add_event(row);
            }
            INFO(daemon.log());
            REQUIRE(daemon.wait_for_cursor("p", 400));
            REQUIRE(test::wait_for([&] { return daemon.pending("p") == 0; }, 60s));
            std::map<std::int64_t, std::int64_t> last, running;  // by project: the event, calls
            std::size_t overlaps = 0, calls = 0;
            for (const auto& line : test::read_journal(home.journal("p"))) {
                const auto id = line["event"].get<std::int64_t>();
                const auto project = id % 3;
                if (line["phase"] == "start") {
                    CHECK(running[project]++ == 0);
                    CHECK(id > last[project]);
                    last[project] = id;
                    if (running[(project + 1) % 3] + running[(project + 2) % 3] > 0) ++overlaps;
                } else {
                    --running[project];
                    ++calls;
                }
            }
            CHECK(calls == 300);
            CHECK(overlaps > 0);
        }
    }
}

}  // namespace overlap_test
