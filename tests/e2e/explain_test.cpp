// Why an event did nothing for a plugin, asked of a running daemon and of what one left.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

namespace explain_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

class Desk {
public:
    Desk() {
        site.add_event(event(100));
        home = std::make_unique<Home>(
            site,
            std::vector<TestPlugin>{
                scripted("fails",
                         {{"rules", {{{"do", "throw"}, {"text", "no such tool"}, {"events", {102}}}}}}),
                scripted("tasks", {{"filter", {{"Shotgun_Task_Change", {"*"}}}}})},
            json{{"plugin_defaults", {{"attempts", 1}}}, {"site", {{"gap_timeout", "10min"}}}});
    }
    Said explain(std::int64_t id, const std::string& plugin, const std::string& output = "text") const {
        return command(*home, {"explain", std::to_string(id), plugin, "--output", output});
    }
    bool says(std::int64_t id, const std::string& plugin, const std::string& what) const {
        const auto said = explain(id, plugin);
        INFO(said.out << said.error);
        CHECK(said.out.find(what) != std::string::npos);
        return said.ended == Ended{0, 0};
    }

    sandbox::Site site;
    std::unique_ptr<Home> home;
};

}  // namespace

TEST_CASE("explain says what became of an event, or why nothing did") {
    Desk desk;
    auto& site = desk.site;
    {
        Daemon daemon(*desk.home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"fails", "tasks"}));
        site.add_event(event(101));
        site.add_event(event(102));
        auto hidden = event(103);
        hidden.hidden = true;
        site.add_event(hidden);
        site.add_event(event(104));
        REQUIRE(wait_for([&] {
            return daemon.cursor("fails") == 104 && daemon.pending("fails") == 0 &&
                   daemon.cursor("tasks") == 104;
        }));

        CHECK(desk.says(101, "fails", "passed: it was handed all that it wants up to 104"));
        CHECK(desk.says(101, "fails", "scripted: called 20"));
        CHECK(desk.says(101, "fails", ": done in "));
        CHECK(desk.says(102, "fails", "scripted: called 20"));
        CHECK(desk.says(102, "fails", ": failed after "));
        CHECK(desk.says(102, "fails", "1 attempts failed: std::runtime_error: no such tool"));
        CHECK(desk.says(101, "tasks", "scripted: does not want it: "));
        CHECK(desk.says(100, "fails", "before its start: nothing up to 100 is its business"));
        CHECK(desk.says(103, "fails", "the site has not shown it yet"));
        CHECK(desk.says(103, "fails", "not on the site"));
        CHECK(desk.says(999, "fails", "newer than anything the daemon has seen (104)"));

        REQUIRE(command(*desk.home, {"plugins", "pause", "fails"}).ended == Ended{0, 0});
        site.add_event(event(105));
        REQUIRE(wait_for([&] { return daemon.cursor("tasks") == 105; }));
        CHECK(desk.says(105, "fails", "plugin fails  paused: since "));
        CHECK(desk.says(105, "fails", "not reached yet: it stands at 104"));
        CHECK(desk.says(105, "fails", "scripted: wants it\n"));

        const auto unknown = desk.explain(101, "fail");
        CHECK(unknown.ended == Ended{65, 0});
        CHECK(unknown.error.find("did you mean 'fails'?") != std::string::npos);

        const auto all = json::parse(desk.explain(102, "fails", "json").out);
        CHECK(all.at("event").at("type") == "Shotgun_Shot_Change");
        CHECK(all.at("known").at("calls").at(0).at("ok") == false);
        CHECK(all.at("known").at("dead_letters").at(0).at("event") == 102);
        CHECK(all.at("callbacks").at(0) == json{{"callback", "scripted"}, {"wants", true}});
        CHECK(daemon.terminate() == Ended{0, 0});
    }

    CHECK(desk.says(102, "fails", "plugin fails  no daemon runs"));
    CHECK(desk.says(102, "fails", "given up 20"));
    CHECK(desk.says(101, "fails", "wants it; how its call went is known to a running daemon alone"));
    CHECK(desk.says(103, "fails", "the site has not shown it yet"));
    CHECK(desk.explain(101, "nobody").ended == Ended{65, 0});

    site.refuse_connections();
    CHECK(desk.says(102, "fails", "who wants it is not known: "));
    CHECK(desk.says(102, "fails", "given up 20"));
}

}  // namespace explain_test
