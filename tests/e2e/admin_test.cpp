// A daemon that is looked at and steered from outside.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using test::command;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::say;
using test::wait_for;

namespace {

nlohmann::json status(const Home& home) {
    const auto said = command(home, {"status", "--output", "json"});
    return nlohmann::json::parse(said.out, nullptr, false);
}

nlohmann::json plugin(const Home& home, const std::string& name) {
    const auto all = status(home);
    if (all.is_object())
        for (const auto& one : all.at("plugins"))
            if (one.at("plugin") == name) return one;
    return nlohmann::json::object();
}

bool wait_for_state(const Home& home, const std::string& name, const std::string& state) {
    return wait_for([&] { return plugin(home, name).value("state", "") == state; }, std::chrono::seconds(60));
}

}  // namespace

TEST_CASE("C137 status names each plugin's state, its reason and its place, in text as in JSON") {
    sandbox::Site site;
    site.add_event(event(100));
    const auto bad = [](const char* name) {
        return std::filesystem::path(SG_BAD_PLUGINS) / "plugins" / (std::string(name) + ".so");
    };
    Home home(site, {test::recorder(),
                     {"broken", bad("no_entry"), {}, {}},
                     test::scripted("owes", {{"rules", {{{"do", "throw"}, {"text", "never"}}}}},
                                    {{"attempts", 1000}}),
                     test::scripted("slow", {{"rules", {{{"do", "gate"}, {"file", "@DIR@/open"}}}}})});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder", "owes", "slow"}));
    site.add_events(3, "Shotgun_Shot_Change");
    REQUIRE(daemon.wait_for_cursor("recorder", 103));
    CHECK(wait_for_state(home, "recorder", "running"));
    CHECK(wait_for_state(home, "broken", "failed to load"));
    CHECK(wait_for_state(home, "owes", "running, retrying"));
    CHECK(wait_for([&] { return plugin(home, "slow").value("outstanding", 0) == 3; }));
    CHECK(plugin(home, "broken").at("why").get<std::string>().find("sg_plugin_entry") != std::string::npos);
    CHECK(plugin(home, "recorder").at("position") == 103);
    CHECK(plugin(home, "recorder").at("behind") == 0);
    CHECK(plugin(home, "owes").at("pending") == 3);

    const auto text = command(home, {"status"});
    CHECK(text.ended == Ended{0, 0});
    INFO(text.out);
    for (const std::string word :
         {"recorder", "running", "broken", "failed to load", "running, retrying", "level since"})
        CHECK(text.out.find(word) != std::string::npos);
    CHECK(text.out.find(sandbox::Site::key) == std::string::npos);

    site.refuse_connections();
    CHECK(wait_for([&] { return status(home).at("stream").at("in_trouble") == true; },
                   std::chrono::seconds(60)));
    CHECK(command(home, {"status"}).out.find("not ready: the site does not answer") != std::string::npos);
    std::ofstream(home.path() / "open") << "";
    CHECK(daemon.terminate() == Ended{0, 0});
}

TEST_CASE("C106 a reload command loads one plugin anew, and names who asked") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder(), test::recorder("other")});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder", "other"}));
    const auto said = command(home, {"reload", "other"});
    CHECK(said.ended == Ended{0, 0});
    CHECK(said.out == "reloading other\n");
    CHECK(wait_for([&] { return plugin(home, "other").value("generation", 0) == 2; },
                   std::chrono::seconds(60)));
    CHECK(plugin(home, "recorder").value("generation", 0) == 1);
    CHECK(daemon.wait_for_log("[RELOADING] Asked to load other anew. by=[uid "));
    const auto unknown = command(home, {"reload", "stranger"});
    CHECK(unknown.ended == Ended{65, 0});
    CHECK(unknown.error == "sgeventd: no plugin is called stranger\n");
}

TEST_CASE("a command with no daemon to speak to says so and ends with 69") {
    sandbox::Site site;
    Home home(site, {test::recorder()});
    for (const std::string word : {"status", "poll", "reload"}) {
        const auto said = command(home, {word});
        CHECK(said.ended == Ended{69, 0});
        CHECK(said.error ==
              "sgeventd: no daemon listens on " + (home.state() / "control.sock").string() + "\n");
    }
    const auto neither = say(home, {"status"});
    CHECK(neither.ended == Ended{64, 0});
}

TEST_CASE("C88 a poll that waits returns when the row was delivered, long before the interval is over") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder(), test::scripted("slow", {{"rules", {{{"do", "sleep"}, {"ms", 300}}}}})},
              {{"site", {{"poll_interval", "60s"}, {"idle_poll_interval", "60s"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder", "slow"}));
    for (int id = 101; id <= 103; ++id) {
        site.add_events(1, "Shotgun_Shot_Change");
        const auto started = std::chrono::steady_clock::now();
        const auto said = command(home, {"poll", "--wait"});
        INFO(said.error);
        CHECK(said.ended == Ended{0, 0});
        CHECK(said.out == "delivered up to event " + std::to_string(id) + "\n");
        CHECK(test::journal_ids(home.journal("recorder")).back() == id);
        const auto slow = test::journal_ids(home.journal("slow"), {{"phase", "end"}});
        REQUIRE_FALSE(slow.empty());
        CHECK(slow.back() == id);
        CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(40));
    }
    site.refuse_connections();
    CHECK(command(home, {"poll", "--wait", "--timeout", "1"}).ended == Ended{69, 0});
}

TEST_CASE("a log level is changed while the daemon runs") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()}, {{"log", {{"level", "info"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    CHECK(daemon.count_in_log("[PAGE]") == 0);
    const auto said = command(home, {"log-level", "debug"});
    CHECK(said.ended == Ended{0, 0});
    CHECK(said.out == "the daemon logs debug and above\n");
    CHECK(
        daemon.wait_for_log("[LOG-LEVEL] Asked to log from another level on. plugin=- level=debug by=[uid "));
    site.add_events(1, "Shotgun_Shot_Change");
    CHECK(daemon.wait_for_log("[PAGE]"));
    CHECK(command(home, {"log-level", "loud"}).ended == Ended{64, 0});
    CHECK(command(home, {"log-level", "debug", "stranger"}).ended == Ended{65, 0});
}

TEST_CASE("a poll command makes the daemon look before its interval is over") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()}, {{"site", {{"poll_interval", "1h"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.add_events(1, "Shotgun_Shot_Change");
    CHECK(command(home, {"poll"}).out == "polling\n");
    CHECK(test::wait_for_recorded(home, 1));
}
