// What plugins get of the stream, and with which fields, through the whole program.

#include <algorithm>

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace filters_test {

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

Ids handled(const Home& home, const std::string& plugin) {
    return journal_ids(home.journal(plugin), {{"phase", "end"}});
}

sandbox::EventSpec in_project(std::int64_t id, std::int64_t project) {
    auto row = event(id);
    if (project != 0) row.project = {{"type", "Project"}, {"id", project}, {"name", "a project"}};
    return row;
}

}  // namespace

TEST_CASE("C36 a plugin gets the events of its projects, and those of others are no missing ones") {
    sandbox::Site site;
    site.add_event(event(100));
    const auto registered = json::parse(R"({"only": {"projects": [65]}})");
    const auto configured = json::parse(R"({"only": {"projects": [65, 0]}})");
    Home home(site, {scripted("registered", registered), scripted("configured", json::object(), configured),
                     scripted("all")});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"registered", "configured", "all"}));
    for (std::int64_t id = 101; id <= 106; ++id)
        site.add_event(in_project(id, id % 3 == 0 ? 65 : id % 3 == 1 ? 70 : 0));
    INFO(daemon.log());
    for (const auto* plugin : {"registered", "configured", "all"})
        REQUIRE(daemon.wait_for_cursor(plugin, 106));
    CHECK(handled(home, "registered") == Ids{102, 105});
    CHECK(handled(home, "configured") == Ids{101, 102, 104, 105});
    CHECK(handled(home, "all") == Ids{101, 102, 103, 104, 105, 106});
    CHECK(daemon.count_in_log("[GAP-OPENED]") == 0);
}

TEST_CASE("C37 a plugin that wants no events of its own script gets those of people") {
    sandbox::Site site;
    site.add_script("writer", "writer-key");
    const auto project = site.add("Project", {{"name", "p"}});
    const auto shot =
        site.add("Shot", {{"code", "sh010"}, {"project", {{"type", "Project"}, {"id", project}}}});
    const auto person = site.add_person("Ada", "ada");
    const sandbox::Caller ada{{"HumanUser", person}};
    site.add_event(event(100));
    const json rules = json::parse(R"([{"do": "update", "data": {"description": "seen"}, "attempts": 1}])");
    const json filter = {{"Shotgun_Shot_Change", "*"}};
    Home home(site,
              {scripted("echo", {{"filter", filter}, {"rules", rules}, {"never", {{"own", true}}}},
                        {{"credential", "writer"}}),
               scripted("witness", {{"filter", filter}})},
              {{"credentials", {{"writer", {{"script", "writer"}, {"key", "writer-key"}}}}}});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"echo", "witness"}));
    const auto by_person = site.update(ada, "Shot", shot, {{"code", "sh020"}});
    INFO(daemon.log());
    // The change by the plugin comes after it, and everybody sees it but the plugin.
    REQUIRE(daemon.wait_for_cursor("witness", by_person + 1));
    const auto again = site.update(ada, "Shot", shot, {{"description", "by hand"}});
    REQUIRE(daemon.wait_for_cursor("witness", again + 1));
    REQUIRE(daemon.wait_for_cursor("echo", again + 1));
    CHECK(handled(home, "echo") == Ids{by_person, again});
    CHECK(handled(home, "witness") == Ids{by_person, by_person + 1, again, again + 1});
}

TEST_CASE("a plugin whose own changes nobody could tell from a person's is refused with one message") {
    sandbox::Site site;
    site.add_event(event(100));
    for (const auto* isolation : {"process", "thread"}) {
        DYNAMIC_SECTION(isolation) {
            Home home(site,
                      {scripted("echo", {{"never", {{"own", true}}}},
                                {{"credential", "ada"}, {"isolation", isolation}}),
                       scripted("other")},
                      {{"credentials", {{"ada", {{"user", "ada"}, {"password", "secret"}}}}}});
            Daemon daemon(home);
            REQUIRE(daemon.wait_until_followed({"other"}));
            CHECK(daemon.wait_for_log("its credential is that of a person"));
            CHECK(daemon.terminate() == test::Ended{0, 0});
            CHECK(daemon.count_in_log("its credential is that of a person") == 1);
        }
    }
}

TEST_CASE("C40 further fields come with the page, and the site is asked once") {
    sandbox::Site site;
    const auto project = site.add("Project", {{"name", "p"}});
    const json link{{"type", "Project"}, {"id", project}};
    const auto sequence = site.add("Sequence", {{"code", "aur"}, {"project", link}});
    const auto shot = site.add(
        "Shot",
        {{"code", "sh010"}, {"project", link}, {"sg_sequence", {{"type", "Sequence"}, {"id", sequence}}}});
    site.add_event(event(100));
    const json fields = {"description", "entity.Shot.sg_sequence"};
    Home home(site, {scripted("p", {{"fields", fields}, {"whole", true}}), scripted("q", {{"whole", true}})});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p", "q"}));
    auto row = event(101);
    row.entity = {{"type", "Shot"}, {"id", shot}};
    row.description = "says what happened";
    site.add_events(10, row);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("p", 110));
    REQUIRE(daemon.wait_for_cursor("q", 110));
    CHECK(daemon.count_in_log("[PAGE] Events taken. after=100 through=110 rows=10") == 1);
    CHECK(site.request_count("read") == site.request_count("read", "EventLogEntry"));
    std::size_t rows = 0;
    for (const auto& line : test::read_journal(home.journal("p"))) {
        if (line["phase"] != "start") continue;
        ++rows;
        CHECK(line["row"]["description"] == "says what happened");
        CHECK(line["row"]["entity.Shot.sg_sequence"]["id"] == sequence);
    }
    CHECK(rows == 10);
}

}  // namespace filters_test
