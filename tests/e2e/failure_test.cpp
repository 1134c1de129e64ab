// Events that fail for good: what the daemon makes of them, and what a person can do about it.

#include <map>

#include "catch.hpp"
#include "e2e/daemon.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using sg::test::Daemon;
using sg::test::Ended;
using sg::test::Home;
using sg::test::read_journal;
using sg::test::scripted;

namespace {

/// Fails on `events`, .
json broken(std::vector<std::int64_t> events, const std::string& how = "throw") {
    return {{"rules", {{{"events", std::move(events)}, {"do", how}, {"text", "no such tool"}}}}};
}

/// The calls that ended well, event by event.
std::map<std::int64_t, int> ended_well(const Home& home, const std::string& plugin) {
    std::map<std::int64_t, int> out;
    for (const auto& line : read_journal(home.journal(plugin)))
        if (line.at("phase") == "end") ++out[line.at("event").get<std::int64_t>()];
    return out;
}

sg::test::Ran dead_letters(const Home& home, std::vector<std::string> words) {
    words.insert(words.begin(), {SG_PROGRAM, "dead-letters"});
    words.insert(words.end(), {"--config", home.config_file().string()});
    return sg::test::run_to_end(words, home.path());
}

json listed(const Home& home, std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"list", "--output", "json"});
    const auto ran = dead_letters(home, std::move(words));
    INFO(ran.err);
    REQUIRE(ran.ended == Ended{0, 0});
    return json::parse(ran.out);
}

void add_events(sg::sandbox::Site& site, std::int64_t first, std::int64_t last) {
    for (auto id = first; id <= last; ++id) site.add_event(sg::test::event(id));
}

}  // namespace

TEST_CASE("C63 C64 C71 what failed for good is listed, shown, tried again, dropped and exported", "[e2e]") {
    sg::sandbox::Site site;
    add_events(site, 100, 100);
    Home home(site, {scripted("a", broken({101, 103, 105, 107})), scripted("b", broken({102}))},
              {{"plugin_defaults", {{"attempts", 2}}}});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"a", "b"}));
        add_events(site, 101, 110);
        REQUIRE(sg::test::wait_for(
            [&] {
                return daemon.cursor("a") == 110 && daemon.cursor("b") == 110 && daemon.pending("a") == 0 &&
                       daemon.pending("b") == 0;
            },
            60s));
        INFO(daemon.log());
        CHECK(daemon.count_in_log("[DEAD-LETTER]") >= 2);

        CHECK(sg::test::wait_for([&] { return listed(home).size() == 5; }, 30s));
        CHECK(listed(home, {"--plugin", "b"}).size() == 1);
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    CHECK(listed(home).size() == 5);
    CHECK(listed(home, {"--plugin", "b"}).size() == 1);
    const auto one = dead_letters(home, {"show", "--event", "101", "--output", "json"});
    REQUIRE(one.ended == Ended{0, 0});
    const auto letter = json::parse(one.out).at(0);
    CHECK(letter.at("plugin") == "a");
    CHECK(letter.at("event") == 101);
    CHECK(letter.at("attempts") == 2);
    CHECK(letter.at("row").at("id") == 101);
    CHECK(letter.at("errors").size() == 2);
    CHECK(letter.at("errors").at(0).at("text").get<std::string>().find("no such tool") != std::string::npos);
    const auto shown = dead_letters(home, {"show", "--event", "101"});
    CHECK(shown.out.find("no such tool") != std::string::npos);

    CHECK(dead_letters(home, {"drop"}).ended == Ended{64, 0});
    CHECK(dead_letters(home, {"drop", "--event", "9"}).ended == Ended{65, 0});
    const auto dropped = dead_letters(home, {"drop", "--event", "107"});
    CHECK(dropped.ended == Ended{0, 0});
    CHECK(dropped.err.find("[DEAD-LETTER-DROPPED]") != std::string::npos);
    CHECK(dropped.err.find("by=") != std::string::npos);
    CHECK(listed(home).size() == 4);
    const auto exported = dead_letters(home, {"export"});
    CHECK(std::count(exported.out.begin(), exported.out.end(), '\n') == 4);
    CHECK(json::parse(exported.out.substr(0, exported.out.find('\n'))).contains("row"));
    CHECK(dead_letters(home, {"retry", "--plugin", "a"}).ended == Ended{0, 0});
    CHECK(listed(home).size() == 1);

    // The tool is there now.
    home.change({{"plugins", {{"a", {{"args", {{"rules", json::array()}}}}}}}});
    Daemon daemon(home);
    REQUIRE(sg::test::wait_for([&] { return ended_well(home, "a").size() == 9; }, 60s));
    REQUIRE(daemon.wait_for_log("[CALL-RECOVERED]", 3));
    CHECK(daemon.terminate() == Ended{0, 0});
    const auto all = ended_well(home, "a");
    CHECK(all.count(107) == 0);
    for (const auto& [event, times] : all) CHECK(times == 1);
    for (const auto& line : read_journal(home.journal("a")))
        if (line.at("event") == 101 && line.at("phase") == "end") {
            CHECK(line.at("attempt") == 3);
            CHECK(line.at("redelivered") == true);
        }
    CHECK(listed(home).size() == 1);
}

TEST_CASE("C63 C64 dead letters are listed, tried again and dropped while the daemon runs", "[e2e]") {
    sg::sandbox::Site site;
    add_events(site, 100, 100);
    auto until_the_third = broken({101, 103, 105});
    until_the_third["rules"][0]["attempts"] = 2;
    Home home(site, {scripted("a", until_the_third)}, {{"plugin_defaults", {{"attempts", 2}}}});
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"a"}));
        add_events(site, 101, 106);
        REQUIRE(sg::test::wait_for([&] { return listed(home).size() == 3; }, 60s));
        const auto shown = dead_letters(home, {"show", "--event", "101"});
        CHECK(shown.ended == Ended{0, 0});
        CHECK(shown.out.find("no such tool") != std::string::npos);
        CHECK(dead_letters(home, {"show", "--event", "9"}).ended == Ended{65, 0});
        CHECK(dead_letters(home, {"retry"}).ended == Ended{64, 0});
        CHECK(dead_letters(home, {"retry", "--event", "9"}).ended == Ended{65, 0});

        const auto retried = dead_letters(home, {"retry", "--event", "103"});
        CHECK(retried.ended == Ended{0, 0});
        CHECK(retried.out == "1 dead letters are tried again\n");
        REQUIRE(daemon.wait_for_log("[CALL-RECOVERED]", 1));
        CHECK(daemon.count_in_log("[DEAD-LETTER-RETRIED]") == 1);
        CHECK(dead_letters(home, {"drop", "--event", "101", "--output", "json"}).out == "{\"letters\":1}\n");
        REQUIRE(daemon.wait_for_log("[DEAD-LETTER-DROPPED]", 1));
        CHECK(sg::test::wait_for([&] { return listed(home).size() == 1; }, 30s));
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    CHECK(listed(home).size() == 1);
    CHECK(listed(home).at(0).at("event") == 105);
    CHECK(ended_well(home, "a") == std::map<std::int64_t, int>{{102, 1}, {103, 1}, {104, 1}, {106, 1}});
    for (const auto& line : read_journal(home.journal("a")))
        if (line.at("event") == 103 && line.at("phase") == "end") {
            CHECK(line.at("attempt") == 3);
            CHECK(line.at("redelivered") == true);
        }
}

TEST_CASE("an event that ends its plugin's process each time is a dead letter with the signal and the build",
          "[e2e]") {
    sg::sandbox::Site site;
    add_events(site, 100, 100);
    Home home(site, {scripted("a", broken({103}, "abort")), scripted("b")},
              {{"plugin_defaults", {{"crashes", 2}}}});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"a", "b"}));
        add_events(site, 101, 105);
        REQUIRE(daemon.wait_for_log("[DEAD-LETTER]"));
        REQUIRE(sg::test::wait_for([&] { return ended_well(home, "a").size() == 4; }, 60s));
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    CHECK(ended_well(home, "b").size() == 5);
    const auto letters = listed(home);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].at("event") == 103);
    CHECK(letters[0].at("crashes") == 2);
    CHECK(letters[0].at("build").get<std::string>().size() >= 8);
    CHECK(letters[0].at("errors").at(0).at("text").get<std::string>().find("SIGABRT") != std::string::npos);
    CHECK(letters[0].at("errors").at(0).at("crashed") == true);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(letters[0].at("trace").get<std::string>().find("frames") != std::string::npos);
#endif
}

TEST_CASE("C66 a plugin that halts goes on by itself when what it needs is back, also after a kill",
          "[e2e]") {
    sg::sandbox::Site site;
    add_events(site, 100, 100);
    Home home(site, {scripted("a", {{"rules", {{{"events", {101}}, {"attempts", 3}, {"do", "throw"}}}}},
                              {{"on_failure", "halt"}}),
                     scripted("b")});
    auto daemon = std::make_unique<Daemon>(home);
    REQUIRE(daemon->wait_until_followed({"a", "b"}));
    add_events(site, 101, 105);
    REQUIRE(daemon->wait_for_log("[LANE-HALTED]"));
    REQUIRE(daemon->wait_for_cursor("b", 105));
    daemon->kill();
    CHECK(ended_well(home, "a").empty());
    daemon = std::make_unique<Daemon>(home);
    REQUIRE(daemon->wait_for_cursor("a", 105));
    std::vector<std::int64_t> order;
    for (const auto& line : read_journal(home.journal("a")))
        if (line.at("phase") == "end") order.push_back(line.at("event").get<std::int64_t>());
    CHECK(order == std::vector<std::int64_t>{101, 102, 103, 104, 105});
}

TEST_CASE("C65 what a callback that skips failed on is never handed to it again", "[e2e]") {
    sg::sandbox::Site site;
    add_events(site, 100, 100);
    Home home(site, {scripted("a", broken({101}), {{"on_failure", "skip"}})});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"a"}));
        add_events(site, 101, 103);
        REQUIRE(daemon.wait_for_cursor("a", 103));
        CHECK(daemon.count_in_log("[CALL-SKIPPED]") == 1);
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"a"}));
    add_events(site, 104, 104);
    REQUIRE(daemon.wait_for_cursor("a", 104));
    std::map<std::int64_t, int> begun;
    for (const auto& line : read_journal(home.journal("a")))
        if (line.at("phase") == "start") ++begun[line.at("event").get<std::int64_t>()];
    CHECK(begun == std::map<std::int64_t, int>{{101, 1}, {102, 1}, {103, 1}, {104, 1}});
}
