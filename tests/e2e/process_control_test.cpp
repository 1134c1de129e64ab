// Signals, and how the daemon ends.

#include <sys/stat.h>

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

std::vector<std::int64_t> ids(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> out;
    for (auto id = first; id <= last; ++id) out.push_back(id);
    return out;
}

std::string everything_in(const std::filesystem::path& directory) {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.is_regular_file()) all += test::read_file(entry.path());
    return all;
}

}  // namespace

TEST_CASE("C112 SIGTERM ends the daemon in order, and the next one goes on exactly there") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"recorder"}));
        site.add_events(50, "Shotgun_Shot_Change");
        REQUIRE(wait_for_recorded(home, 50));
        const auto hosts = daemon.hosts();
        CHECK(hosts.size() == 1);
        CHECK(daemon.terminate() == Ended{0, 0});
        CHECK(daemon.count_in_log("[STOPPED]") == 1);
        CHECK(daemon.cursor("recorder") == 150);
        for (const int host : hosts) CHECK(::kill(host, 0) != 0);
    }
    site.add_events(10, "Shotgun_Shot_Change");
    Daemon again(home);
    INFO(again.log());
    REQUIRE(wait_for_recorded(home, 60));
    CHECK(again.terminate() == Ended{0, 0});
    CHECK(test::journal_ids(home.journal()) == ids(101, 160));
}

TEST_CASE("C112 an event whose callback does not end within the drain time is given out again") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::scripted("slow", {{"rules", {{{"do", "gate"}, {"file", "@DIR@/open"}}}}})},
              {{"drain_time", "200ms"}});
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"slow"}));
        site.add_event(event(101));
        REQUIRE(test::wait_for([&] { return !test::read_journal(home.journal("slow")).empty(); }));
        CHECK(daemon.terminate() == Ended{0, 0});
        CHECK(daemon.count_in_log("[DRAIN-CUT]") == 1);
    }
    std::ofstream(home.path() / "open") << "";
    Daemon again(home);
    INFO(again.log());
    REQUIRE(test::wait_for([&] { return test::read_journal(home.journal("slow")).size() >= 3; }, 60s));
    CHECK(test::wait_for([&] { return again.pending("slow") == 0; }));
    const auto journal = test::read_journal(home.journal("slow"));
    REQUIRE(journal.size() == 3);  // the call that was cut short, then a whole one
    CHECK(journal[1].at("event") == 101);
    CHECK(journal[1].at("redelivered") == true);
    CHECK(journal[2].at("phase") == "end");
}

TEST_CASE("C113 a daemon that waits out an outage stops within a second") {
    sandbox::Site site;
    site.refuse_connections();
    Home home(site, {test::recorder()}, {{"site", {{"retry_first", "60s"}, {"retry_longest", "60s"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_log("[STARTED]"));
    REQUIRE(daemon.wait_for_log("warning [engine]"));  // the outage has begun
    const auto asked = std::chrono::steady_clock::now();
    daemon.signal(SIGTERM);
    const auto ended = daemon.wait(10s);
    CHECK(ended == Ended{0, 0});
    CHECK(std::chrono::steady_clock::now() - asked < 1s);
}

TEST_CASE("C113 a daemon whose site hangs stops within a second") {
    sandbox::Site site;
    site.ignore_connections();
    Home home(site, {test::recorder()});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_log("[STARTED]"));
    const auto asked = std::chrono::steady_clock::now();
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(std::chrono::steady_clock::now() - asked < 1s);
}

TEST_CASE("a callback in a thread of the daemon that never ends is named, and the daemon ends without it") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(
        site,
        {test::scripted("stuck", {{"rules", {{{"do", "gate"}, {"file", "@DIR@/open"}, {"events", {101}}}}}},
                        {{"isolation", "thread"}}),
         test::recorder()},
        {{"drain_time", "0s"}});
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"stuck", "recorder"}));
        site.add_events(3, "Shotgun_Shot_Change");
        REQUIRE(test::wait_for([&] { return !test::read_journal(home.journal("stuck")).empty(); }));
        REQUIRE(daemon.wait_for_cursor("recorder", 103));
        CHECK(daemon.terminate() == Ended{0, 0});
        CHECK(daemon.count_in_log(
                  "[PLUGIN-ABANDONED] A callback runs on in a thread of the daemon. plugin=stuck") == 1);
    }
    std::ofstream(home.path() / "open") << "";
    Daemon again(home);
    INFO(again.log());
    // The event that never ended is owed: it comes when its retry is due, before or after the others.
    const auto ended = [&] {
        auto all = test::journal_ids(home.journal("stuck"), {{"phase", "end"}});
        std::sort(all.begin(), all.end());
        return all;
    };
    REQUIRE(test::wait_for([&] { return ended().size() == 3; }));
    CHECK(again.terminate() == Ended{0, 0});
    CHECK(ended() == ids(101, 103));
}

TEST_CASE("C115 a daemon whose site is gone and whose configuration is broken stops in order all the same") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.refuse_connections();
    REQUIRE(daemon.wait_for_log("[SITE-LOST]"));
    std::ofstream(home.config_file()) << "site: [";
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(daemon.cursor("recorder") == 100);
}

TEST_CASE("C114 a second signal ends a daemon with a stuck callback at once, its state whole") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(
        site,
        {test::scripted("stuck", {{"rules", {{{"do", "gate"}, {"file", "@DIR@/open"}, {"events", {101}}}}}}),
         test::recorder()},
        {{"drain_time", "10min"}});
    std::vector<int> hosts;
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"stuck", "recorder"}));
        site.add_events(3, "Shotgun_Shot_Change");
        REQUIRE(test::wait_for([&] { return !test::read_journal(home.journal("stuck")).empty(); }));
        REQUIRE(daemon.wait_for_cursor("recorder", 103));
        hosts = daemon.hosts();
        daemon.signal(SIGTERM);
        REQUIRE(daemon.wait_for_log("[STOPPING]"));
        CHECK_FALSE(daemon.wait(200ms));  // it waits for the callback
        const auto asked = std::chrono::steady_clock::now();
        daemon.signal(SIGTERM);
        CHECK(daemon.wait(10s) == Ended{130, 0});
        CHECK(std::chrono::steady_clock::now() - asked < 1s);
    }
    for (const int host : hosts) CHECK(test::wait_for([&] { return ::kill(host, 0) != 0; }));
    std::ofstream(home.path() / "open") << "";
    Daemon again(home);
    INFO(again.log());
    REQUIRE(again.wait_for_cursor("stuck", 103));
    CHECK(again.terminate() == Ended{0, 0});
    CHECK(test::journal_ids(home.journal("stuck"), {{"phase", "end"}}) == ids(101, 103));
    CHECK(test::journal_ids(home.journal()) == ids(101, 103));
}

TEST_CASE("SIGUSR1 asks for events at once, and SIGHUP and SIGUSR2 end nothing") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()}, {{"site", {{"poll_interval", "1h"}}}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    daemon.signal(SIGHUP);
    REQUIRE(daemon.wait_for_log("[RELOADING]"));
    daemon.signal(SIGUSR2);
    site.add_event(event(101));
    daemon.signal(SIGUSR1);
    CHECK(wait_for_recorded(home, 1));
    CHECK(daemon.terminate() == Ended{0, 0});
}

TEST_CASE("what the daemon writes is private, whatever umask it inherits, and holds no key") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()}, {{"log", {{"file", "file.log"}, {"level", "trace"}}}});
    const auto before = ::umask(0);
    Daemon daemon(home);
    ::umask(before);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.add_events(3, "Shotgun_Shot_Change");
    REQUIRE(wait_for_recorded(home, 3));
    CHECK(daemon.terminate() == Ended{0, 0});
    for (const auto& place : {home.state(), home.path() / "cache", home.path() / "file.log"}) {
        INFO(place.string());
        REQUIRE(std::filesystem::exists(place));
        CHECK((std::filesystem::status(place).permissions() & std::filesystem::perms(077)) ==
              std::filesystem::perms::none);
    }
    CHECK(everything_in(home.state()).find(sandbox::Site::key) == std::string::npos);
    CHECK(test::read_file(home.path() / "file.log").find(sandbox::Site::key) == std::string::npos);
    CHECK(daemon.log().find(sandbox::Site::key) == std::string::npos);
}
