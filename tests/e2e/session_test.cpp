// Whose session the writes of plugins carry.

#include <algorithm>
#include <map>
#include <set>

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace session_test {

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Daemon;
using test::event;
using test::Home;
using test::scripted;

namespace {

/// Three plugins write at the same time, each for an event of its own session: by Shot, what its update
/// carried.
std::map<std::int64_t, std::string> sessions(bool propagate) {
    sandbox::Site site;
    const auto project = site.add("Project", {{"name", "p"}});
    const json link{{"type", "Project"}, {"id", project}};
    std::vector<test::TestPlugin> plugins;
    // Each waits until all three are at it, then writes.
    for (const auto* name : {"a", "b", "c"}) {
        const std::int64_t mine = 101 + (name[0] - 'a');
        plugins.push_back(
            scripted(name, {{"rules",
                             {{{"do", "gate"}, {"file", "@DIR@/open"}, {"events", {mine}}},
                              {{"do", "update"}, {"data", {{"description", name}}}, {"events", {mine}}}}}}));
    }
    site.add_event(event(100));
    Home home(site, plugins, {{"site", {{"use_session_uuid", propagate}}}});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"a", "b", "c"}));
    std::vector<std::int64_t> shots;
    for (std::int64_t id = 101; id <= 103; ++id) {
        shots.push_back(site.add("Shot", {{"code", "sh"}, {"project", link}}));
        auto row = event(id);
        row.entity = {{"type", "Shot"}, {"id", shots.back()}};
        if (id != 102) row.session_uuid = id == 101 ? "u1" : "u2";
        site.add_event(row);
    }
    INFO(daemon.log());
    const auto began = [&](const char* name, std::int64_t id) {
        const auto begun = test::journal_ids(home.journal(name), {{"phase", "start"}});
        return std::find(begun.begin(), begun.end(), id) != begun.end();
    };
    REQUIRE(test::wait_for([&] { return began("a", 101) && began("b", 102) && began("c", 103); }, 60s));
    std::ofstream(home.path() / "open").put('\n');
    for (const auto* name : {"a", "b", "c"}) REQUIRE(daemon.wait_for_cursor(name, 103));
    std::map<std::int64_t, std::string> out;
    for (const auto& request : site.requests())
        if (request.method == "update")
            out[std::find(shots.begin(), shots.end(), request.params.at("id").get<std::int64_t>()) -
                shots.begin()] = request.session_uuid;
    return out;
}

}  // namespace

TEST_CASE("C43 what plugins write at the same time carries the session of the event that each one handles") {
    CHECK(sessions(true) == std::map<std::int64_t, std::string>{{0, "u1"}, {1, ""}, {2, "u2"}});
}

TEST_CASE("C44 without propagation no write carries a session") {
    CHECK(sessions(false) == std::map<std::int64_t, std::string>{{0, ""}, {1, ""}, {2, ""}});
}

}  // namespace session_test
