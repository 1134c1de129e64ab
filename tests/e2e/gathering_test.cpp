// Callbacks that wait for further events, through the whole program.

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace gathering_test {

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Daemon;
using test::event;
using test::Home;
using test::journal_ids;
using test::scripted;

namespace {

using Ids = std::vector<std::int64_t>;

sandbox::EventSpec about(std::int64_t id, std::int64_t shot) {
    auto row = event(id);
    row.entity = {{"type", "Shot"}, {"id", shot}, {"name", "sh"}};
    return row;
}

std::vector<json> ended(const Home& home, const std::string& plugin) {
    std::vector<json> lines;
    for (auto& line : test::read_journal(home.journal(plugin)))
        if (line["phase"] == "end") lines.push_back(std::move(line));
    return lines;
}

}  // namespace

TEST_CASE("C41 twenty changes of one Shot are one call, in a process and in a thread") {
    for (const auto* isolation : {"process", "thread"}) {
        DYNAMIC_SECTION(isolation) {
            sandbox::Site site;
            site.add_event(event(100));
            Home home(site, {scripted("p", {{"coalesce_ms", 200}}, {{"isolation", isolation}})});
            Daemon daemon(home);
            REQUIRE(daemon.wait_until_followed({"p"}));
            site.add_events(20, about(101, 1));
            site.add_event(about(121, 2));
            INFO(daemon.log());
            REQUIRE(test::wait_for([&] { return ended(home, "p").size() >= 2; }, 60s));
            REQUIRE(daemon.wait_for_cursor("p", 121));
            REQUIRE(test::wait_for([&] { return daemon.pending("p") == 0; }, 60s));
            const auto calls = ended(home, "p");
            REQUIRE(calls.size() == 2);
            Ids all;
            for (std::int64_t id = 101; id <= 120; ++id) all.push_back(id);
            CHECK(calls[0]["event"] == 120);
            CHECK(calls[0]["merged"].get<Ids>() == all);
            CHECK(calls[1]["event"] == 121);
        }
    }
}

TEST_CASE("C41 a kill before the call of a burst loses none of it") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p", {{"coalesce_ms", 3'600'000}}), scripted("q")});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"p", "q"}));
        site.add_events(20, about(101, 1));
        INFO(daemon.log());
        REQUIRE(daemon.wait_for_cursor("p", 120));
        CHECK(daemon.pending("p") == 20);
        daemon.kill();
    }
    CHECK(test::read_journal(home.journal("p")).empty());
    // At the next start what waits is due after the longest pause of retries at most.
    home.change({{"plugins", {{"p", {{"args", {{"coalesce_ms", 200}}}}}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(test::wait_for([&] { return daemon.pending("p") == 0; }, 60s));
    const auto calls = ended(home, "p");
    REQUIRE(calls.size() == 1);
    CHECK(calls[0]["merged"].size() == 20);
    CHECK(calls[0]["redelivered"] == true);
}

TEST_CASE("C42 a new Shot is one call after its creation, and others do not wait") {
    sandbox::Site site;
    const auto project = site.add("Project", {{"name", "p"}});
    const sandbox::Caller ada{{"HumanUser", site.add_person("Ada", "ada")}};
    site.add_event(event(100));
    Home home(site,
              {scripted("p", {{"settle_ms", 300}, {"filter", {{"Shotgun_Shot_New", "*"}}}}), scripted("q")});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p", "q"}));
    std::int64_t first = 0;
    site.create(
        ada, "Shot",
        {{"code", "sh010"}, {"description", "new"}, {"project", {{"type", "Project"}, {"id", project}}}},
        &first);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("q", site.newest_id()));
    REQUIRE(test::wait_for([&] { return ended(home, "p").size() == 1; }, 60s));
    REQUIRE(test::wait_for([&] { return daemon.pending("p") == 0; }, 60s));
    const auto calls = ended(home, "p");
    REQUIRE(calls.size() == 1);
    CHECK(calls[0]["type"] == "Shotgun_Shot_New");
    CHECK(calls[0]["event"] >= first);
    // Everybody else had all of it before.
    CHECK(ended(home, "q").back()["time_ns"] < calls[0]["time_ns"]);
}

}  // namespace gathering_test
