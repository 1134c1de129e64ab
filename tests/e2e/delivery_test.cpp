// Who gets which event, in what order, through the whole program.

#include <algorithm>
#include <map>

#include "catch.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::journal_ids;
using test::scripted;

namespace {

using Ids = std::vector<std::int64_t>;

Ids from_to(std::int64_t first, std::int64_t last) {
    Ids ids;
    for (auto id = first; id <= last; ++id) ids.push_back(id);
    return ids;
}

/// Events that a scripted plugin has handled, in the order it ended them.
Ids handled(const Home& home, const std::string& plugin) {
    return journal_ids(home.journal(plugin), {{"phase", "end"}});
}

bool wait_for_handled(const Home& home, const std::string& plugin, std::size_t count) {
    return test::wait_for([&] { return handled(home, plugin).size() >= count; }, 60s);
}

}  // namespace

TEST_CASE("C5 each plugin goes on where it stood itself, and gets nothing twice") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("a"), scripted("b")});
    // `b` is sent on alone first, so that the two stand apart.
    std::filesystem::rename(home.path() / "plugins" / "a.so", home.path() / "a.so");
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"b"}));
        site.add_events(3, "Shotgun_Shot_Change");
        REQUIRE(daemon.wait_for_cursor("b", 103));
        REQUIRE(daemon.terminate() == Ended{0, 0});
    }
    std::filesystem::rename(home.path() / "a.so", home.path() / "plugins" / "a.so");
    home.change({{"plugins", {{"a", {{"start", 100}}}}}});
    site.add_events(7, "Shotgun_Shot_Change");
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("a", 110));
    REQUIRE(daemon.wait_for_cursor("b", 110));
    CHECK(handled(home, "a") == from_to(101, 110));
    CHECK(handled(home, "b") == from_to(101, 110));
}

TEST_CASE("C8 a plugin that starts at the earliest event gets every row the site still has, once") {
    sandbox::Site site;
    site.add_event(event(100));
    site.add_events(2000, "Shotgun_Shot_Change");
    Home home(site, {scripted("old", json::object(), {{"start", "earliest"}})});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("old", 2100));
    CHECK(handled(home, "old") == from_to(100, 2100));
}

TEST_CASE("C14 state files that are deleted under a running daemon are made again, and nothing is skipped") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"recorder"}));
        for (const auto* file : {"state.db", "state.db-wal", "state.db-shm"})
            std::filesystem::remove(home.state() / file);
        site.add_event(event(101));
        INFO(daemon.log());
        REQUIRE(daemon.wait_for_cursor("recorder", 101));  // read from the new file
        CHECK(daemon.wait_for_log("[STATE-"));
        daemon.kill();
    }
    site.add_event(event(102));
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("recorder", 102));
    CHECK(journal_ids(home.journal()) == Ids{101, 102});
}

TEST_CASE("C26 three callbacks are called one after another for each event, in the order registered") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p", {{"callbacks", {"c1", "c2", "c3"}}})});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p"}));
    site.add_events(50, "Shotgun_Shot_Change");
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("p", 150));
    std::vector<std::string> expected, seen;
    for (std::int64_t id = 101; id <= 150; ++id)
        for (const auto* callback : {"c1", "c2", "c3"})
            for (const auto* phase : {"start", "end"})
                expected.push_back(std::to_string(id) + callback + phase);
    for (const auto& line : test::read_journal(home.journal("p")))
        seen.push_back(std::to_string(line["event"].get<std::int64_t>()) +
                       line["callback"].get<std::string>() + line["phase"].get<std::string>());
    CHECK(seen == expected);
}

TEST_CASE("C39 whatever a row holds, it is delivered once with what the site sent") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p", {{"whole", true}})});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p"}));

    std::vector<sandbox::EventSpec> odd(8);
    odd[0].meta = nullptr;
    odd[1].event_type = "Studio Tool: \"quoted\" \\ type";
    odd[2].entity = {{"type", "Shot"}, {"id", 7}};
    odd[3].meta = {{"text", "Grüße, 東京, \U0001F3AC"}, {"new_value", "ünïcode"}};
    odd[4].meta = {{"big", std::string(1 << 20, 'm')}};
    odd[5].meta = json::array({1, 2.5, false, nullptr, {{"deep", json::array({json::array()})}}});
    odd[6].event_type.reset();
    odd[7].dated = false;
    for (std::size_t i = 0; i < odd.size(); ++i) {
        odd[i].id = 101 + static_cast<std::int64_t>(i);
        site.add_event(odd[i]);
    }
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("p", 108));
    CHECK(handled(home, "p") == from_to(101, 108));

    std::map<std::int64_t, json> rows;
    for (const auto& line : test::read_journal(home.journal("p")))
        if (line["phase"] == "start") rows[line["event"].get<std::int64_t>()] = line["row"];
    REQUIRE(rows.size() == odd.size());
    for (const auto& spec : odd) {
        const auto& row = rows.at(*spec.id);
        INFO("event " << *spec.id);
        CHECK((row["meta"] == spec.meta));
        CHECK(row["event_type"] == (spec.event_type ? json(*spec.event_type) : json()));
        CHECK(row["created_at"].is_null() == !spec.dated);
        CHECK(row["user"].is_null());
        CHECK(row["project"].is_null());
        if (!spec.entity.is_null()) CHECK(row["entity"]["id"] == spec.entity["id"]);
    }
}

TEST_CASE("C46 a late row is delivered by itself, and nothing else again") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p")}, {{"site", {{"gap_timeout", "5min"}}}});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p"}));
    for (std::int64_t id = 101; id <= 110; ++id) {
        auto row = event(id);
        row.hidden = id == 105;
        site.add_event(row);
    }
    INFO(daemon.log());
    REQUIRE(wait_for_handled(home, "p", 9));
    REQUIRE(site.show(105));
    REQUIRE(wait_for_handled(home, "p", 10));
    site.add_event(event(111));
    REQUIRE(daemon.wait_for_cursor("p", 111));
    CHECK(handled(home, "p") == Ids{101, 102, 103, 104, 106, 107, 108, 109, 110, 105, 111});
}

TEST_CASE("C55 a gap that is open at a kill is still awaited after it") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p")}, {{"site", {{"gap_timeout", "5min"}}}});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"p"}));
        auto hidden = event(101);
        hidden.hidden = true;
        site.add_event(hidden);
        site.add_event(event(102));
        REQUIRE(daemon.wait_for_cursor("p", 102));
        daemon.kill();
    }
    REQUIRE(site.show(101));
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(wait_for_handled(home, "p", 2));
    site.add_event(event(103));
    REQUIRE(daemon.wait_for_cursor("p", 103));
    CHECK(handled(home, "p") == Ids{102, 101, 103});
}

TEST_CASE("C68 an exception of any type is a failure that is tried again, and the daemon goes on") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site,
              {scripted("p", {{"rules", {{{"events", {101}}, {"attempts", 2}, {"do", "throw_int"}}}}})});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p"}));
    site.add_events(2, "Shotgun_Shot_Change");
    INFO(daemon.log());
    REQUIRE(wait_for_handled(home, "p", 2));
    CHECK(handled(home, "p") == Ids{102, 101});
    CHECK(journal_ids(home.journal("p"), {{"phase", "start"}, {"event", 101}}).size() == 3);
}

TEST_CASE("C75 a plugin that waits holds nobody up, and gets its events in order afterwards") {
    sandbox::Site site;
    site.add_event(event(100));
    test::TempDir gates;
    const auto gate = gates / "open";
    Home home(site, {scripted("slow", {{"rules", {{{"do", "gate"}, {"file", gate.string()}}}}}),
                     scripted("quick")});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"slow", "quick"}));
    site.add_events(100, "Shotgun_Shot_Change");
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_cursor("quick", 200));
    CHECK(handled(home, "slow").empty());
    const auto polls = site.request_count("read", "EventLogEntry");
    CHECK(test::wait_for([&] { return site.request_count("read", "EventLogEntry") > polls + 3; }));
    std::ofstream{gate};
    REQUIRE(daemon.wait_for_cursor("slow", 200));
    CHECK(handled(home, "slow") == from_to(101, 200));
    CHECK(handled(home, "quick") == from_to(101, 200));
}

TEST_CASE("C89 an outage begins once, escalates once and ends once in the log, and nothing is lost") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p")});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"p"}));
    site.refuse_connections();
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_log("[SITE-DOWN]"));
    site.add_events(5, "Shotgun_Shot_Change");
    site.accept_connections();
    REQUIRE(daemon.wait_for_cursor("p", 105));
    CHECK(handled(home, "p") == from_to(101, 105));
    CHECK(daemon.count_in_log("[SITE-LOST]") == 1);
    CHECK(daemon.count_in_log("[SITE-DOWN]") == 1);
    CHECK(daemon.wait_for_log("[SITE-BACK]"));
    CHECK(daemon.count_in_log("[SITE-BACK]") == 1);
}
