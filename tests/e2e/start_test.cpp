// How the daemon begins: positions, one instance, a site that is not there, credentials.

#include "catch.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::wait_for_recorded;

namespace {

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("C1 a new daemon begins with the next event") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    CHECK(daemon.cursor("recorder") == 100);
    site.add_event(event(101));
    REQUIRE(wait_for_recorded(home, 1));
    CHECK(daemon.wait_for_cursor("recorder", 101));
    CHECK(test::journal_ids(home.journal()) == Ids{101});
}

TEST_CASE("C2 what happened while the daemon was stopped is delivered in order") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"recorder"}));
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    site.add_events(5, "Shotgun_Shot_Change");
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(wait_for_recorded(home, 5));
    CHECK(test::journal_ids(home.journal()) == Ids{101, 102, 103, 104, 105});
}

TEST_CASE("C10 a collection that was renamed while the daemon was stopped costs no plugin its position") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    {
        Daemon daemon(home);
        REQUIRE(daemon.wait_until_followed({"recorder"}));
        site.add_event(event(101));
        REQUIRE(wait_for_recorded(home, 1));
        CHECK(daemon.terminate() == Ended{0, 0});
    }
    site.add_event(event(102));
    std::filesystem::rename(home.path() / "plugins", home.path() / "automation");
    home.change({{"collections", {"automation"}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(wait_for_recorded(home, 2));
    CHECK(daemon.wait_for_cursor("recorder", 102));
    CHECK(test::journal_ids(home.journal()) == Ids{101, 102});
}

TEST_CASE("C3 a daemon that finds no site waits for it") {
    sandbox::Site site;
    site.add_event(event(100));
    site.refuse_connections();
    Home home(site, {test::recorder()});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_log("[STARTED]"));
    CHECK_FALSE(daemon.wait(300ms));
    CHECK_FALSE(daemon.cursor("recorder"));
    site.accept_connections();
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.add_event(event(101));
    REQUIRE(wait_for_recorded(home, 1));
    CHECK(test::journal_ids(home.journal()) == Ids{101});
}

TEST_CASE("C4 with strict_start a daemon that finds no site gives up within its limit") {
    sandbox::Site site;
    site.refuse_connections();
    Home home(site, {test::recorder()}, {{"strict_start", true}, {"strict_start_time", "300ms"}});
    Daemon daemon(home);
    CHECK(daemon.wait(30s) == Ended{69, 0});
    INFO(daemon.log());
    CHECK(daemon.count_in_log("[STRICT-START]") == 1);
}

TEST_CASE("C22 a second daemon on the same state is refused and the first is undisturbed") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    Daemon first(home);
    REQUIRE(first.wait_until_followed({"recorder"}));
    {
        Daemon second(home);
        CHECK(second.wait(30s) == Ended{75, 0});
        INFO(second.log());
        CHECK(second.log().find("pid=" + std::to_string(first.pid())) != std::string::npos);
    }
    site.add_event(event(101));
    REQUIRE(wait_for_recorded(home, 1));
    CHECK(first.terminate() == Ended{0, 0});
    CHECK(test::journal_ids(home.journal()) == Ids{101});
}

TEST_CASE("C23 ids beyond 2^31 and 2^53 are exact in journal, state and log") {
    sandbox::Site site;
    site.add_event(event(2147483650));
    Home home(site, {test::recorder()},
              {{"log", {{"level", "trace"}}}, {"site", {{"gap_timeout", "100ms"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    CHECK(daemon.cursor("recorder") == 2147483650);
    const Ids expected{2147483651, 9007199254740993, 9007199254740995};
    for (const auto id : expected) site.add_event(event(id));
    REQUIRE(wait_for_recorded(home, 3));
    CHECK(daemon.wait_for_cursor("recorder", 9007199254740995));
    CHECK(daemon.cursor("recorder") == 9007199254740995);
    CHECK(test::journal_ids(home.journal()) == expected);
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(daemon.log().find("9007199254740995") != std::string::npos);
}

TEST_CASE("C126 a key of any characters reaches the site verbatim") {
    const std::string key = "per%cent #hash : 'q' \"d\" schlüssel✓ end";
    sandbox::Site site;
    site.add_event(event(100));
    site.add_script("awkward", key);
    Home home(site, {test::recorder()});
    std::vector<std::string> environment;
    SECTION("in the file") {
        home.change({{"credentials", {{"daemon", {{"script", "awkward"}, {"key", key}}}}}});
    }
    SECTION("in the environment") {
        home.change({{"credentials", {{"daemon", {{"script", "awkward"}, {"key", "${SG_TEST_KEY}"}}}}}});
        environment = {"SG_TEST_KEY=" + key};
    }
    SECTION("in a file of its own") {
        std::ofstream(home.path() / "key") << key << "\n";
        home.change(
            {{"credentials", {{"daemon", {{"script", "awkward"}, {"key", nullptr}, {"key_file", "key"}}}}}});
    }
    Daemon daemon(home, environment);
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    INFO(daemon.log());
    CHECK(site.request_count("read", "EventLogEntry", "awkward") > 0);
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(daemon.log().find("schlüssel") == std::string::npos);
}

TEST_CASE("a configuration that is wrong, or a state that cannot be made, ends with its own code") {
    sandbox::Site site;
    Home home(site, {test::recorder()});
    SECTION("configuration") {
        home.change({{"site", {{"poll_interval", "0s"}}}});
        Daemon daemon(home);
        CHECK(daemon.wait(30s) == Ended{78, 0});
        CHECK(daemon.count_in_log("site.poll_interval: expected") == 1);
    }
    SECTION("disk") {
        home.change({{"state_dir", "/proc/absent"}});
        Daemon daemon(home);
        CHECK(daemon.wait(30s) == Ended{74, 0});
        CHECK(daemon.count_in_log("[STATE-REFUSED]") == 1);
    }
    SECTION("damage") {
        std::filesystem::create_directory(home.state());
        std::ofstream(home.state() / "state.db") << "this is not a database, and never was one";
        Daemon daemon(home);
        CHECK(daemon.wait(30s) == Ended{73, 0});
        CHECK(daemon.count_in_log("[STATE-REFUSED]") == 1);
    }
}
