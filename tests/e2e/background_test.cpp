// A daemon that is started and stopped from a shell.

#include <sys/stat.h>

#include <charconv>

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::command;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::Said;
using test::say;
using test::wait_for;

namespace {

/// The number in "started, pid 12" or "stopped, pid 12".
int pid_in(const Said& said) {
    const auto at = said.out.find("pid ");
    return at == std::string::npos ? 0 : std::atoi(said.out.c_str() + at + 4);
}

/// Whoever inherits a daemon from `start` may take its time to reap it.
bool is_alive(int pid) {
    const auto stat = test::read_file("/proc/" + std::to_string(pid) + "/stat");
    return !stat.empty() && stat.find(") Z ") == std::string::npos;
}

/// A home whose daemons run in the background; what a test leaves running is stopped.
class Background {
public:
    Background(const sandbox::Site& site, nlohmann::json changes = nlohmann::json::object())
        : home(site, {test::recorder()}, {{"log", {{"file", "daemon.log"}}}, {"pid_file", "daemon.pid"}}) {
        home.change(changes);
    }
    ~Background() { say(home, {"stop", "--state-dir", home.state().string(), "--timeout", "20"}); }

    Said start() { return command(home, {"start"}); }
    std::filesystem::path pid_file() const { return home.path() / "daemon.pid"; }
    std::string log() const { return test::read_file(home.log()); }
    bool wait_for_journal(const std::vector<std::int64_t>& expected) {
        return wait_for([&] { return test::journal_ids(home.journal()) == expected; }, 60s);
    }
    /// The plugin has a place in the stream: what happens from now on is its own.
    bool wait_until_followed() {
        return wait_for([&] { return log().find("[LANE-START]") != std::string::npos; }, 60s);
    }
    Home home;
};

}  // namespace

TEST_CASE("a daemon in the background is started, followed, restarted and stopped") {
    sandbox::Site site;
    site.add_event(event(100));
    Background daemon(site);
    const auto none = command(daemon.home, {"stop"});
    CHECK(none.ended == Ended{0, 0});
    CHECK(none.out.starts_with("no daemon uses "));

    const auto started = daemon.start();
    INFO(started.error << daemon.log());
    REQUIRE(started.ended == Ended{0, 0});
    const int first = pid_in(started);
    CHECK(is_alive(first));
    CHECK(started.error.empty());
    CHECK(::getsid(first) == first);
    CHECK(test::read_file(daemon.pid_file()) == std::to_string(first) + "\n");
    REQUIRE(daemon.wait_until_followed());
    site.add_event(event(101));
    REQUIRE(daemon.wait_for_journal({101}));

    const auto twice = daemon.start();
    CHECK(twice.ended == Ended{75, 0});
    CHECK(twice.error.find("pid=" + std::to_string(first)) != std::string::npos);
    CHECK(is_alive(first));

    const auto restarted = command(daemon.home, {"restart"});
    INFO(restarted.error);
    REQUIRE(restarted.ended == Ended{0, 0});
    CHECK_FALSE(is_alive(first));
    site.add_event(event(102));
    REQUIRE(daemon.wait_for_journal({101, 102}));

    const auto stopped = command(daemon.home, {"stop"});
    CHECK(stopped.ended == Ended{0, 0});
    CHECK_FALSE(is_alive(pid_in(stopped)));
    CHECK_FALSE(std::filesystem::exists(daemon.pid_file()));
    CHECK(daemon.log().find("[STOPPED] Stopped in order.") != std::string::npos);
}

TEST_CASE("C118 a start in the background prints what is wrong and leaves nothing running") {
    sandbox::Site site;
    Background daemon(site);
    SECTION("with the configuration") {
        daemon.home.change({{"site", {{"poll_interval", "0s"}}}});
        const auto said = daemon.start();
        CHECK(said.ended == Ended{78, 0});
        CHECK(said.error.find("site.poll_interval: expected") != std::string::npos);
    }
    SECTION("with the place of the log") {
        daemon.home.change({{"log", {{"file", nullptr}}}});
        const auto said = daemon.start();
        CHECK(said.ended == Ended{78, 0});
        CHECK(said.error.find("log.file") != std::string::npos);
    }
    SECTION("with the state, which only the daemon itself finds out") {
        std::filesystem::create_directory(daemon.home.state());
        std::ofstream(daemon.home.state() / "state.db") << "this is not a database, and never was one";
        const auto said = daemon.start();
        CHECK(said.ended == Ended{73, 0});
        CHECK(said.error.find("[STATE-REFUSED]") != std::string::npos);
        CHECK(said.error.find("the daemon did not start") != std::string::npos);
    }
    const auto stop = say(daemon.home, {"stop", "--state-dir", daemon.home.state().string()});
    CHECK(stop.ended == Ended{0, 0});
    CHECK(stop.out.starts_with("no daemon uses "));
    CHECK_FALSE(std::filesystem::exists(daemon.pid_file()));
}

TEST_CASE("C116 a pid file with the number of somebody else harms nobody") {
    sandbox::Site site;
    site.add_event(event(100));
    Background daemon(site);
    test::Process stranger({"/bin/sleep", "600"}, {}, "/dev/null", "/dev/null");
    std::ofstream(daemon.pid_file()) << stranger.pid() << "\n";
    CHECK(command(daemon.home, {"stop"}).ended == Ended{0, 0});
    CHECK_FALSE(stranger.wait(0ms));
    const auto started = daemon.start();
    INFO(started.error);
    CHECK(started.ended == Ended{0, 0});
    CHECK(test::read_file(daemon.pid_file()) == std::to_string(pid_in(started)) + "\n");
    CHECK(command(daemon.home, {"stop"}).ended == Ended{0, 0});
    CHECK_FALSE(stranger.wait(0ms));

    // Nor does a lock file that names them: nobody holds it.
    std::ofstream(daemon.home.state() / "lock") << "begun=yes\npid=" << stranger.pid() << "\n";
    CHECK(command(daemon.home, {"stop"}).ended == Ended{0, 0});
    CHECK_FALSE(stranger.wait(0ms));
}

TEST_CASE("C117 a daemon whose pid file is removed stops in order within two seconds") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()}, {{"pid_file", "daemon.pid"}});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.add_event(event(101));
    REQUIRE(test::wait_for_recorded(home, 1));
    const auto removed = std::chrono::steady_clock::now();
    REQUIRE(std::filesystem::remove(home.path() / "daemon.pid"));
    CHECK(daemon.wait(30s) == Ended{0, 0});
    CHECK(std::chrono::steady_clock::now() - removed < 2s);
    CHECK(daemon.count_in_log("[STOPPING] Stopping: the pid file was removed.") == 1);
    CHECK(daemon.cursor("recorder") == 101);
}

TEST_CASE("C115 stop ends a daemon whose site is gone and whose configuration is broken") {
    sandbox::Site site;
    site.add_event(event(100));
    Background daemon(site);
    const auto started = daemon.start();
    REQUIRE(started.ended == Ended{0, 0});
    REQUIRE(daemon.wait_until_followed());
    site.refuse_connections();
    std::ofstream(daemon.home.config_file()) << "site: [";
    const auto lost = command(daemon.home, {"stop"});
    CHECK(lost.ended == Ended{78, 0});
    CHECK(lost.error.find("--state-dir") != std::string::npos);
    CHECK(is_alive(pid_in(started)));
    CHECK(say(daemon.home, {"stop", "--state-dir", daemon.home.state().string()}).ended == Ended{0, 0});
    CHECK_FALSE(is_alive(pid_in(started)));
}

TEST_CASE("a restart with a configuration that is wrong leaves the daemon running") {
    sandbox::Site site;
    Background daemon(site);
    const auto started = daemon.start();
    REQUIRE(started.ended == Ended{0, 0});
    daemon.home.change({{"site", {{"poll_interval", "0s"}}}});
    CHECK(command(daemon.home, {"restart"}).ended == Ended{78, 0});
    CHECK(is_alive(pid_in(started)));
}

TEST_CASE("C122 a daemon in the background keeps its files to itself whatever umask it inherits") {
    for (const mode_t mask : {mode_t{0}, mode_t{022}}) {
        DYNAMIC_SECTION("umask " << mask) {
            sandbox::Site site;
            site.add_event(event(100));
            Background daemon(site);
            const auto before = ::umask(mask);
            const auto started = daemon.start();
            ::umask(before);
            REQUIRE(started.ended == Ended{0, 0});
            REQUIRE(daemon.wait_until_followed());
            site.add_event(event(101));
            REQUIRE(daemon.wait_for_journal({101}));
            const auto mode = [](const std::filesystem::path& path) {
                struct stat info {};
                return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
            };
            CHECK(mode(daemon.home.state()) == 0700U);
            for (const auto* file : {"state.db", "lock", "control.sock"})
                CHECK(mode(daemon.home.state() / file) == 0600U);
            CHECK(mode(daemon.home.log()) == 0600U);
            CHECK(mode(daemon.pid_file()) == 0644U);
            CHECK(command(daemon.home, {"stop"}).ended == Ended{0, 0});
        }
    }
}

TEST_CASE(
    "C119 a daemon that dies of an error of its own is started again by its supervisor, and nothing is "
    "lost") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    // Starts it again as long as it does not end with 0.
    const auto script = "until \"$0\" run --config \"$1\"; do echo \"ended with $?\"; done";
    const auto said = home.path() / "supervisor.out";
    test::Process supervisor({"/bin/sh", "-c", script, SG_PROGRAM, home.config_file().string()}, {}, said,
                             home.log());
    const auto log = [&] { return test::read_file(home.log()); };
    const auto count = [&](std::string_view text) {
        std::size_t n = 0;
        const auto all = log();
        for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++n;
        return n;
    };
    const auto daemon_pid = [&] {
        const auto lock = test::read_file(home.state() / "lock");
        const auto at = lock.find("pid=");
        return at == std::string::npos ? 0 : std::atoi(lock.c_str() + at + 4);
    };
    REQUIRE(wait_for([&] { return count("[LANE-START]") == 1; }, 60s));
    const auto pid = daemon_pid();
    REQUIRE(is_alive(pid));
    site.add_events(50, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(home, 1));
    ::kill(pid, SIGABRT);  // what a broken promise of the daemon's own does
    REQUIRE(wait_for([&] { return count("[STARTED]") == 2; }, 60s));
    REQUIRE(test::wait_for_recorded(home, 50));
    CHECK(test::read_file(said) == "ended with 134\n");
    ::kill(daemon_pid(), SIGTERM);
    CHECK(supervisor.wait(60s) == Ended{0, 0});
    auto ids = test::journal_ids(home.journal());
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    REQUIRE(ids.size() == 50);
    CHECK(ids.front() == 101);
    CHECK(ids.back() == 150);
}
