// Plugins of a running daemon, steered by commands.

#include <unistd.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using test::command;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;

namespace {

std::string state_of(const Home& home, const std::string& name) {
    const auto said = command(home, {"plugins", "list", "--output", "json"});
    const auto all = nlohmann::json::parse(said.out, nullptr, false);
    if (all.is_array())
        for (const auto& one : all)
            if (one.at("plugin") == name) return one.at("state").get<std::string>();
    return {};
}

/// The events that came after the first `from`.
std::vector<std::int64_t> recorded(const Home& home, const std::string& name, std::size_t from = 0) {
    auto all = test::journal_ids(home.journal(name));
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(from, all.size())));
    return all;
}

bool wait_for_last(const Home& home, const std::string& name, std::int64_t id, std::size_t from = 0) {
    return test::wait_for(
        [&] {
            const auto all = recorded(home, name, from);
            return !all.empty() && all.back() == id;
        },
        std::chrono::seconds(60));
}

}  // namespace

TEST_CASE("C139 a paused plugin stays paused across a restart, and gets what waited when it is resumed") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder(), test::recorder("other")});
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"recorder", "other"}));
        const auto offered =
            test::say(home, {"complete", "plugins", "pause", "--config", home.config_file().string(), "rec"});
        CHECK(offered.out.starts_with("recorder\t"));
        CHECK(offered.out.find("other") == std::string::npos);
        const auto said = command(home, {"plugins", "pause", "recorder"});
        CHECK(said.ended == Ended{0, 0});
        CHECK(said.out == "recorder is paused\n");
        CHECK(
            daemon.wait_for_log("[PLUGIN-PAUSED] Plugin gets no events until it is resumed. plugin=recorder "
                                "by=[uid " +
                                std::to_string(::getuid())));
        site.add_events(3, "Shotgun_Shot_Change");
        REQUIRE(wait_for_last(home, "other", 103));
        daemon.kill();  // what the command said was durable
    }
    Daemon daemon(home);
    INFO(daemon.log());
    site.add_events(2, "Shotgun_Shot_Change");
    REQUIRE(wait_for_last(home, "other", 105));
    CHECK(test::wait_for([&] { return state_of(home, "recorder") == "paused"; }, std::chrono::seconds(60)));
    CHECK(recorded(home, "recorder").empty());
    CHECK(command(home, {"plugins", "list"}).out.find("paused") != std::string::npos);
    CHECK(command(home, {"plugins", "resume", "recorder"}).ended == Ended{0, 0});
    REQUIRE(wait_for_last(home, "recorder", 105));
    CHECK(recorded(home, "recorder") == std::vector<std::int64_t>{101, 102, 103, 104, 105});
}

TEST_CASE("C140 a plugin is sent to an event, a time, the newest and the first, and others notice nothing") {
    sandbox::Site site;
    const auto day = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4);
    auto oldest = event(100);
    oldest.created_at = day;
    site.add_event(oldest);
    Home home(site, {test::recorder(), test::recorder("other")});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder", "other"}));
    REQUIRE(command(home, {"plugins", "pause", "recorder"}).ended == Ended{0, 0});
    for (int id = 101; id <= 200; ++id) {
        auto made = event(id);
        made.created_at = day + std::chrono::seconds(id);
        site.add_event(made);
    }
    REQUIRE(wait_for_last(home, "other", 200));
    std::size_t before = 0;
    const auto from = [&](const std::string& place) {
        before = recorded(home, "recorder").size();
        const auto said = command(home, {"plugins", "seek", "recorder", place, "--output", "json"});
        INFO(said.error);
        REQUIRE(said.ended == Ended{0, 0});
        return nlohmann::json::parse(said.out);
    };
    const auto first = from("150");
    CHECK(first.at("next") == 150);
    CHECK(first.at("skipped") == nlohmann::json{{"first", 101}, {"last", 149}});
    CHECK(daemon.wait_for_log("plugin=recorder next=150 skipped=[101-149] again=[] by=[uid "));
    REQUIRE(command(home, {"plugins", "resume", "recorder"}).ended == Ended{0, 0});
    REQUIRE(wait_for_last(home, "recorder", 200, before));
    CHECK(recorded(home, "recorder", before).front() == 150);

    CHECK(from("2026-03-04T00:02:00Z").at("next") == 120);
    REQUIRE(wait_for_last(home, "recorder", 200, before));
    CHECK(recorded(home, "recorder", before).front() == 120);

    CHECK(from("earliest").at("next") == 1);
    REQUIRE(wait_for_last(home, "recorder", 200, before));
    CHECK(recorded(home, "recorder", before).front() == 100);

    CHECK(from("latest").at("next") == 201);
    site.add_events(1, "Shotgun_Shot_Change");
    REQUIRE(wait_for_last(home, "recorder", 201, before));
    CHECK(recorded(home, "recorder", before) == std::vector<std::int64_t>{201});
    REQUIRE(wait_for_last(home, "other", 201));
    CHECK(recorded(home, "other").size() == 101);

    const auto beyond = command(home, {"plugins", "seek", "recorder", "999"});
    CHECK(beyond.ended == Ended{65, 0});
    CHECK(beyond.error == "sgeventd: there is no event 999 yet; the newest one is 201\n");
    CHECK(command(home, {"plugins", "seek", "recorder", "yesterday"}).ended == Ended{65, 0});
    const auto unknown = command(home, {"plugins", "pause", "recordr"});
    CHECK(unknown.ended == Ended{65, 0});
    CHECK(unknown.error == "sgeventd: no plugin is called recordr; did you mean 'recorder'?\n");
}

TEST_CASE("C140 a plugin that stands at an event is told to let it go") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site,
              {test::recorder(),
               test::scripted("stands", {{"rules", {{{"events", {101}}, {"do", "throw"}, {"text", "no"}}}}},
                              {{"on_failure", "halt"}})});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder", "stands"}));
    const auto too_early = command(home, {"plugins", "skip", "stands"});
    CHECK(too_early.ended == Ended{65, 0});
    CHECK(too_early.error == "sgeventd: stands stands at no event\n");
    site.add_events(3, "Shotgun_Shot_Change");
    REQUIRE(daemon.wait_for_log("[LANE-HALTED]"));
    const auto said = command(home, {"plugins", "skip", "stands"});
    CHECK(said.ended == Ended{0, 0});
    CHECK(said.out == "stands lets event 101 go\n");
    CHECK(daemon.wait_for_cursor("stands", 103));
    CHECK(daemon.wait_for_log("event=101 by=[uid "));
    CHECK(daemon.pending("stands") == 0);
}

TEST_CASE("a plugin that somebody disabled is unloaded, also after a restart, until it is enabled") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder(), test::recorder("other")});
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"recorder", "other"}));
        const auto said = command(home, {"plugins", "disable", "recorder"});
        CHECK(said.ended == Ended{0, 0});
        CHECK(said.out == "recorder is disabled\n");
        CHECK(
            daemon.wait_for_log("[PLUGIN-DISABLING] Plugin is unloaded until it is enabled. plugin=recorder "
                                "by=[uid " +
                                std::to_string(::getuid())));
        REQUIRE(test::wait_for([&] { return daemon.hosts().size() == 1; }));
        site.add_events(2, "Shotgun_Shot_Change");
        REQUIRE(wait_for_last(home, "other", 102));
        daemon.signal(SIGHUP);  // the configuration, which enables it, is read again
        REQUIRE(daemon.wait_for_log("[CONFIG-RELOADED]"));
        CHECK(state_of(home, "recorder") == "disabled");
        daemon.kill();
    }
    Daemon daemon(home);
    INFO(daemon.log());
    site.add_events(1, "Shotgun_Shot_Change");
    REQUIRE(wait_for_last(home, "other", 103));
    REQUIRE(test::wait_for([&] { return state_of(home, "recorder") == "disabled"; }));
    CHECK(command(home, {"status"}).out.find(" UTC, by uid " + std::to_string(::getuid())) !=
          std::string::npos);
    CHECK(recorded(home, "recorder").empty());
    CHECK(command(home, {"plugins", "enable", "recorder"}).out == "recorder is enabled\n");
    REQUIRE(wait_for_last(home, "recorder", 103));
    CHECK(recorded(home, "recorder") == std::vector<std::int64_t>{101, 102, 103});

    home.change({{"plugins", {{"recorder", {{"enabled", false}}}}}});
    daemon.signal(SIGHUP);
    REQUIRE(test::wait_for([&] { return state_of(home, "recorder") == "disabled"; }));
    const auto refused = command(home, {"plugins", "enable", "recorder"});
    CHECK(refused.ended == Ended{65, 0});
    CHECK(refused.error == "sgeventd: the configuration says enabled: false for recorder\n");
    CHECK(command(home, {"plugins", "retry", "other"}).error == "sgeventd: other waits for no next try\n");
}
