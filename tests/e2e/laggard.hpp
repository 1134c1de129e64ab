#pragma once
// One plugin far behind, nine that are current.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"
#include "e2e/resources.hpp"

namespace sg::test {

/// C78. The one that is behind takes its time, so that it still is when the last live event has come.
inline void check_laggard(std::size_t behind, std::size_t most_kb) {
    constexpr int current = 9, live = 40;
    sandbox::Site site;
    site.add_events(behind, "Shotgun_Shot_Change");
    const auto top = site.newest_id();
    const auto slow = nlohmann::json::parse(R"([{"do": "sleep", "ms": 1}])");
    std::vector<TestPlugin> plugins{scripted("behind", {{"rules", slow}}, {{"start", "earliest"}})};
    std::vector<std::string> names{"behind"};
    for (int i = 1; i <= current; ++i) {
        names.push_back("current" + std::to_string(i));
        plugins.push_back(scripted(names.back()));
    }
    Home home(site, plugins);
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed(names));
    const auto position = [&] { return daemon.cursor("behind").value_or(0); };
    REQUIRE(wait_for([&] { return position() > 0; }, std::chrono::minutes(2)));
    const auto before = resources_of(daemon.pid());

    // Each comes at once: the next one is only added when all nine have it.
    std::vector<std::int64_t> added;
    for (int i = 0; i < live; ++i) {
        added.push_back(site.add_events(1, "Shotgun_Shot_Change"));
        for (int n = 1; n <= current; ++n)
            REQUIRE(
                wait_for([&] { return daemon.cursor(names[static_cast<std::size_t>(n)]) >= added.back(); },
                         std::chrono::seconds(60)));
    }
    CHECK(position() < top);
    for (int n = 1; n <= current; ++n)
        CHECK(journal_ids(home.journal(names[static_cast<std::size_t>(n)]), {{"phase", "end"}}) == added);
    const auto after = resources_of(daemon.pid());
    INFO("before: " << before << ", after: " << after);
    CHECK(after.kb <= before.kb + most_kb);

    // Pages of its own, and the live poll asks for nothing but what is new.
    nlohmann::json stream;
    const auto told = [&] {  // the status may be a second old
        const auto said = command(home, {"status", "--output", "json"});
        stream = nlohmann::json::parse(said.out).at("stream");
        return stream.at("events") == live;
    };
    CHECK(wait_for(told, std::chrono::seconds(30)));
    CHECK(stream.at("lane_queries") >= 1);
    CHECK(daemon.terminate() == Ended{0, 0});
}

}  // namespace sg::test
