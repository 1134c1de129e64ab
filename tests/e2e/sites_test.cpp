// Several sites in one process.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"
#include "service_manager.hpp"

using namespace sg;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;

namespace {

std::vector<std::string> beside(const Home& home) { return {"--config", home.config_file().string()}; }

/// What `status` says of the stream of that site; empty while no daemon answers for it.
std::string stream_state(const Home& home) {
    const auto said = test::command(home, {"status", "--output", "json"});
    const auto status = nlohmann::json::parse(said.out, nullptr, false);
    return status.is_object() ? status.at("stream").at("state").get<std::string>() : std::string();
}

bool wait_for_state(const Home& home, const std::string& state) {
    return test::wait_for([&] { return stream_state(home) == state; }, std::chrono::seconds(60));
}

}  // namespace

TEST_CASE(
    "C146 two sites in one process: one that is gone costs the other nothing, and each has its own state") {
    sandbox::Site north, south;
    north.add_event(event(100));
    south.add_event(event(7000));
    Home of_north(north, {test::recorder()}), of_south(south, {test::recorder()});
    test::ServiceManager manager(of_north.path() / "notify");
    Daemon daemon(of_north,
                  {"NOTIFY_SOCKET=" + (of_north.path() / "notify").string(), "WATCHDOG_USEC=400000"},
                  beside(of_south));
    INFO(daemon.log());
    REQUIRE(manager.wait("READY=1"));
    REQUIRE(wait_for_state(of_north, "level"));
    REQUIRE(wait_for_state(of_south, "level"));
    north.add_events(3, "Shotgun_Shot_Change");
    south.add_events(2, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(of_north, 3));
    REQUIRE(test::wait_for_recorded(of_south, 2));
    CHECK(test::journal_ids(of_north.journal()) == std::vector<std::int64_t>{101, 102, 103});
    CHECK(test::journal_ids(of_south.journal()) == std::vector<std::int64_t>{7001, 7002});

    north.refuse_connections();
    REQUIRE(test::wait_for([&] { return stream_state(of_north).starts_with("site "); }));  // lost, then down
    const auto asked = south.requests().size();
    for (std::size_t n = 3; n <= 12; ++n) {
        south.add_events(1, "Shotgun_Shot_Change");
        REQUIRE(test::wait_for_recorded(of_south, n));
    }
    CHECK(south.requests().size() > asked);
    CHECK(stream_state(of_south) == "level");
    CHECK(stream_state(of_north).starts_with("site "));
    CHECK(std::filesystem::exists(of_north.state() / "state.db"));
    CHECK(std::filesystem::exists(of_south.state() / "state.db"));
    CHECK(daemon.count_in_log("[" + of_north.config_file().string() + "/engine]") > 0);

    const auto alive = manager.count("WATCHDOG=1");
    CHECK(manager.wait("WATCHDOG=1", alive + 2));
    north.accept_connections();
    north.add_events(1, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(of_north, 4));
    daemon.signal(SIGHUP);
    CHECK(manager.wait("READY=1", 2));
    CHECK(daemon.wait_for_log("[CONFIG-RELOADED]", 2));
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(manager.count("STOPPING=1") == 1);
}

TEST_CASE("a site whose state is refused leaves the others running, and its code is that of the process") {
    sandbox::Site north, south;
    Home of_north(north, {test::recorder()}), of_south(south, {test::recorder()});
    Daemon holder(of_north);
    REQUIRE(holder.wait_for_log("[STARTED]"));
    Home own_log(south, {});
    of_south.change({{"log", {{"file", (own_log.path() / "south.log").string()}}}});
    test::ServiceManager manager(of_south.path() / "notify");
    Daemon daemon(of_south, {"NOTIFY_SOCKET=" + (of_south.path() / "notify").string()}, beside(of_north));
    INFO(daemon.log());
    REQUIRE(daemon.wait_for_log("[STATE-REFUSED]"));
    REQUIRE(manager.wait("READY=1"));
    CHECK(manager.wait(of_north.config_file().string() + ": stopped, exit code 75"));
    REQUIRE(wait_for_state(of_south, "level"));
    south.add_events(1, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(of_south, 1));
    CHECK(daemon.terminate() == Ended{75, 0});
    CHECK(holder.terminate() == Ended{0, 0});
}

TEST_CASE("sites that would share a place on the machine are refused, each place by name") {
    sandbox::Site site;
    Home north(site, {test::recorder()}), south(site, {test::recorder()});
    const auto same = (north.path() / "state").string();
    south.change({{"state_dir", same}, {"admin", {{"address", "127.0.0.1:9999"}}}});
    north.change({{"admin", {{"address", "127.0.0.1:9999"}}}});
    const auto both = [&](const std::string& command) {
        return test::say(north, {command, "--config", north.config_file().string(), "--config",
                                 south.config_file().string()});
    };
    for (const std::string command : {"check-config", "run", "start", "restart"}) {
        const auto said = both(command);
        INFO(command << said.error);
        CHECK(said.ended == Ended{78, 0});
        const auto used = " is used by " + north.config_file().string() + " too; each site needs its own\n";
        CHECK(said.error.find(south.config_file().string() + ": state_dir: " + same + used) !=
              std::string::npos);
        CHECK(said.error.find("admin.socket: ") != std::string::npos);
        CHECK(said.error.find("admin.address: 127.0.0.1:9999" + used) != std::string::npos);
    }
    south.change({{"state_dir", "state"}, {"admin", nullptr}});
    const auto fine = both("check-config");
    CHECK(fine.ended == Ended{0, 0});
    CHECK(fine.out ==
          north.config_file().string() + " is fine\n" + south.config_file().string() + " is fine\n");
}
