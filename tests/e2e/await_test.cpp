// A daemon that is killed while a callback waits.

#include <signal.h>

#include "catch.hpp"
#include "e2e/daemon.hpp"

using sg::test::Daemon;
using sg::test::Home;

TEST_CASE("a daemon killed while a coroutine waits repeats that event, marked") {
    sg::sandbox::Site site;
    const nlohmann::json args{{"journal", "@DIR@/awaits.jsonl"}, {"gate", "@DIR@/gate"}};
    const Home home(site, {{"awaits", SG_AWAITS, args, {}}});
    const auto lines = [&](const std::string& phase) {
        std::vector<std::pair<std::int64_t, bool>> list;
        for (const auto& line : sg::test::read_journal(home.journal("awaits")))
            if (line.at("phase") == phase) list.emplace_back(line.at("event"), line.at("redelivered"));
        return list;
    };
    Daemon first(home);
    REQUIRE(first.wait_until_followed({"awaits"}));
    site.add_events(2, "Shotgun_Shot_Change");
    REQUIRE(sg::test::wait_for([&] { return lines("start").size() == 1; }));
    const auto hosts = first.hosts();
    first.kill();
    // A host sees the end of its daemon a little later, and must not get through the gate.
    REQUIRE(sg::test::wait_for([&] {
        return std::all_of(hosts.begin(), hosts.end(), [](int pid) { return ::kill(pid, 0) != 0; });
    }));
    CHECK(lines("end").empty());

    std::ofstream(home.path() / "gate") << "open";
    const Daemon second(home);
    REQUIRE(sg::test::wait_for([&] { return lines("end").size() == 2; }));
    const auto ends = lines("end");
    const auto event = lines("start").front().first;
    CHECK(ends[0] == std::pair<std::int64_t, bool>(event, true));
    CHECK(ends[1].first != event);  // marked or not: it had been handed out if it was in the same batch
}
