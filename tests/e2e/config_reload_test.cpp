// A configuration that changes while the daemon runs.

#include <sys/stat.h>

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"
#include "service_manager.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::command;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::wait_for;

namespace {

using Journal = std::vector<std::int64_t>;

Journal journal(const Home& home, const std::string& name) { return test::journal_ids(home.journal(name)); }

bool wait_for_journal(const Home& home, const std::string& name, const Journal& expected) {
    return wait_for([&] { return journal(home, name) == expected; }, 60s);
}

}  // namespace

TEST_CASE("a reload takes over what a running daemon can, and names what waits for the next start") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.add_event(event(101));
    REQUIRE(wait_for_journal(home, "recorder", {101}));

    home.change({{"plugins", {{"recorder", {{"args", {{"file", home.journal("second").string()}}}}}}},
                 {"log", {{"level", "info"}}},
                 {"drain_time", "7s"},
                 {"site", {{"poll_interval", "60ms"}}},
                 {"credentials", {{"plugins", {{"key", "another-key"}}}}}});
    SECTION("by a signal") { daemon.signal(SIGHUP); }
    SECTION("by a command") { CHECK(command(home, {"reload"}).ended == Ended{0, 0}); }
    REQUIRE(daemon.wait_for_log("[CONFIG-RELOADED]"));
    CHECK(daemon.count_in_log(
              "changed=[plugins.recorder.args; log.level (debug, now info); drain_time (5s, now 7s)]") == 1);
    CHECK(daemon.count_in_log("keys=[site.poll_interval (50ms, now 60ms); credentials.plugins.key]") == 1);
    CHECK(daemon.log().find("another-key") == std::string::npos);
    REQUIRE(daemon.wait_for_log("[PLUGIN-READY]", 2));
    site.add_event(event(102));
    CHECK(wait_for_journal(home, "second", {102}));
    CHECK(journal(home, "recorder") == Journal{101});
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(daemon.count_in_log("drain_ms=7000") == 1);
}

TEST_CASE("a reload of a broken configuration changes nothing and says why once") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    test::ServiceManager manager(home.path() / "notify");
    Daemon daemon(home, {"NOTIFY_SOCKET=" + (home.path() / "notify").string()});
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    const auto whole = test::read_file(home.config_file());
    home.change({{"site", {{"poll_interval", "0s"}}}});
    daemon.signal(SIGHUP);
    REQUIRE(manager.wait("RELOADING=1"));
    REQUIRE(manager.wait("READY=1", 2));
    CHECK(daemon.count_in_log("[CONFIG-REFUSED]") == 1);
    CHECK(daemon.count_in_log("errors=1 first=[" + home.config_file().string() + ":") == 1);
    CHECK(daemon.count_in_log(": site.poll_interval: expected ") == 1);
    CHECK(daemon.count_in_log("[PLUGIN-READY]") == 1);
    site.add_event(event(101));
    CHECK(wait_for_journal(home, "recorder", {101}));

    std::ofstream(home.config_file()) << whole;
    daemon.signal(SIGHUP);
    REQUIRE(daemon.wait_for_log("[CONFIG-RELOADED] The configuration has been read anew. changed=[]"));
    REQUIRE(daemon.wait_for_log("[PLUGIN-READY]", 2));
    REQUIRE(manager.wait("READY=1", 3));
    CHECK(daemon.terminate() == Ended{0, 0});
}

TEST_CASE("a plugin that is disabled is handed nothing, and gets what it missed when it is enabled again") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder("a"), test::recorder("b")});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"a", "b"}));
    home.change({{"plugins", {{"b", {{"enabled", false}}}}}});
    daemon.signal(SIGHUP);
    REQUIRE(daemon.wait_for_log("[PLUGIN-DISABLED]"));
    REQUIRE(wait_for([&] { return shown_state(home, "b") == "disabled"; }, 60s));
    site.add_events(3, "Shotgun_Shot_Change");
    REQUIRE(wait_for_journal(home, "a", {101, 102, 103}));
    CHECK(daemon.cursor("b") == 100);
    CHECK(command(home, {"reload", "b"}).ended == Ended{0, 0});

    home.change({{"plugins", {{"b", {{"enabled", true}}}}}});
    daemon.signal(SIGHUP);
    CHECK(wait_for_journal(home, "b", {101, 102, 103}));
    CHECK(journal(home, "a") == Journal{101, 102, 103});
}

TEST_CASE("a plugin that is disabled at the start holds nobody up") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder("a"), test::recorder("b")},
              {{"plugins", {{"b", {{"enabled", false}}}, {"typo", {{"enabled", false}}}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"a"}));
    CHECK(daemon.count_in_log("[PLUGIN-ABSENT]") == 1);
    CHECK(daemon.count_in_log("in no collection. plugin=typo") == 1);
    site.add_event(event(101));
    REQUIRE(wait_for_journal(home, "a", {101}));
    CHECK(wait_for([&] { return shown_state(home, "b") == "disabled"; }, 60s));
    CHECK_FALSE(daemon.cursor("b"));
    CHECK(daemon.hosts().size() == 1);
}

TEST_CASE("plugins and configurations that everyone may change are refused unless that is allowed") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder("mine"), test::recorder("theirs")});
    const auto theirs = home.path() / "plugins" / "theirs.so";
    REQUIRE(::chmod(theirs.c_str(), 0757) == 0);
    SECTION("a plugin") {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"mine"}));
        CHECK(daemon.count_in_log("[PLUGIN-SKIPPED]") == 1);
        CHECK(daemon.count_in_log("everyone may write to it: chmod o-w") == 1);
        CHECK(daemon.hosts().size() == 1);
    }
    SECTION("a plugin, allowed") {
        home.change({{"allow_world_writable_plugins", true}});
        Daemon daemon(home);
        CHECK(daemon.wait_until_followed({"mine", "theirs"}));
    }
    SECTION("their directory") {
        REQUIRE(::chmod((home.path() / "plugins").c_str(), 01777) == 0);
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_for_log("[STARTED] Running. plugins=0"));
        CHECK(daemon.count_in_log("[COLLECTION-UNREADABLE]") == 1);
    }
    SECTION("the configuration") {
        REQUIRE(::chmod(home.config_file().c_str(), 0646) == 0);
        Daemon daemon(home);
        CHECK(daemon.wait(30s) == Ended{78, 0});
        CHECK(daemon.count_in_log("sgeventd.yaml: cannot be read: everyone may write to it: chmod o-w") == 1);
    }
    SECTION("a key") {
        std::ofstream(home.path() / "key") << sandbox::Site::key << "\n";
        REQUIRE(::chmod((home.path() / "key").c_str(), 0606) == 0);
        home.change({{"credentials", {{"daemon", {{"key", nullptr}, {"key_file", "key"}}}}}});
        Daemon daemon(home);
        CHECK(daemon.wait(30s) == Ended{78, 0});
        CHECK(daemon.count_in_log("credentials.daemon.key_file") == 1);
    }
}

TEST_CASE(
    "C107 a reload leaves position, gap, debt and dead letter as they are, and the retry runs in what is "
    "loaded") {
    sandbox::Site site;
    site.add_event(event(100));
    const nlohmann::json rules = {{{"do", "throw"}, {"text", "never"}, {"events", {101}}},
                                  {{"do", "throw_error"}, {"cause", "busy"}, {"events", {102}}}};
    Home home(site, {test::scripted("plugin", {{"rules", rules}}, {{"attempts", 1}})},
              {{"site", {{"gap_timeout", "10min"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"plugin"}));
    for (const int id : {101, 102, 104}) site.add_event(event(id));  // 103 is missing
    const auto status = [&] {
        return nlohmann::json::parse(command(home, {"status", "--output", "json"}).out, nullptr, false);
    };
    /// Cursor, open gaps, debts, dead letters.
    const auto standing = [&] {
        const auto all = status();
        const auto& plugin = all.at("plugins").at(0);
        return std::vector<std::int64_t>{
            plugin.at("cursor").get<std::int64_t>(), all.at("stream").at("open_gaps").get<std::int64_t>(),
            plugin.at("pending").get<std::int64_t>(), plugin.at("dead_letters").get<std::int64_t>()};
    };
    const std::vector<std::int64_t> before{104, 1, 1, 1};
    REQUIRE(wait_for([&] { return standing() == before; }, 60s));
    const auto old_host = daemon.hosts();
    REQUIRE(old_host.size() == 1);

    CHECK(command(home, {"reload", "plugin"}).ended == Ended{0, 0});
    REQUIRE(daemon.wait_for_log("[PLUGIN-READY]", 2));
    REQUIRE(wait_for([&] { return daemon.hosts().size() == 1 && daemon.hosts() != old_host; }, 60s));
    CHECK(standing() == before);

    home.change({{"plugins", {{"plugin", {{"args", {{"rules", nlohmann::json::array()}}}}}}}});
    daemon.signal(SIGHUP);
    REQUIRE(daemon.wait_for_log("[PLUGIN-READY]", 3));
    REQUIRE(wait_for([&] { return standing() == std::vector<std::int64_t>{104, 1, 0, 1}; }, 60s));
    auto ended = test::read_journal(home.journal("plugin"));
    std::erase_if(ended,
                  [](const auto& line) { return line.at("event") != 102 || line.at("phase") != "end"; });
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].at("pid") == daemon.hosts().at(0));
    CHECK(ended[0].at("attempt").get<int>() > 1);
    CHECK(ended[0].at("redelivered") == false);

    site.add_event(event(103));
    CHECK(wait_for([&] { return standing() == std::vector<std::int64_t>{104, 0, 0, 1}; }, 60s));
    CHECK(test::journal_ids(home.journal("plugin"), {{"phase", "end"}}) == Journal{104, 102, 103});
}
