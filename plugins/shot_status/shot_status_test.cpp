// The plugin on a site in memory: what it writes, when, and that it comes to rest.

#include <sg/testing.hpp>

#include "catch.hpp"

using nlohmann::json;
using sg::EntityRef;
using sg::testing::change;
using sg::testing::FakeSite;
using sg::testing::life_cycle;
using sg::testing::Plugin;

namespace {

/// A Shot with two Tasks, and the plugin.
struct Production {
    explicit Production(const json& args = nullptr) : plugin(site, args) {}

    FakeSite site;
    EntityRef shot = site.add("Shot", {{"code", "sh010"}, {"sg_status_list", "ip"}});
    EntityRef anim = task("anim", shot);
    EntityRef comp = task("comp", shot);
    Plugin plugin;

    EntityRef task(const std::string& name, const EntityRef& on, const std::string& status = "wtg") {
        return site.add("Task", {{"content", name}, {"entity", on}, {"sg_status_list", status}});
    }

    /// Somebody sets a Task's status, and the event arrives.
    void set(const EntityRef& task, const std::string& status, const sg::testing::Call& call = {}) {
        const auto before = site.row(task).at("sg_status_list");
        site.set(task, "sg_status_list", status);
        plugin.handle(change(task, "sg_status_list", before, status), call);
    }
    json status(const EntityRef& of) const { return site.row(of).at("sg_status_list"); }
};

std::string refusal(const json& args) {
    FakeSite site;
    try {
        Plugin plugin(site, args);
    } catch (const std::exception& e) {
        return e.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("a Shot becomes final with its last Task, and not before") {
    Production p;
    p.set(p.anim, "fin");
    CHECK(p.status(p.shot) == "ip");
    p.set(p.comp, "fin");
    CHECK(p.status(p.shot) == "fin");
    CHECK(p.plugin.log().count("sh010") == 1);
}

TEST_CASE("a Shot is open again when one of its Tasks is reopened") {
    Production p;
    p.set(p.anim, "fin");
    p.set(p.comp, "fin");
    p.set(p.anim, "rtk");
    CHECK(p.status(p.shot) == "ip");
}

TEST_CASE("the plugin's own change comes back as an event and is not answered") {
    Production p;
    p.set(p.anim, "fin");
    p.set(p.comp, "fin");
    int rounds = 0;
    for (auto echo = p.site.take_events(); !echo.empty(); echo = p.site.take_events()) {
        REQUIRE(++rounds < 3);
        for (const auto& row : echo) p.plugin.handle(row);
    }
    CHECK(rounds == 1);
    CHECK(p.site.count("update") == 1);
}

TEST_CASE("an event that is handed out again changes nothing") {
    Production p;
    p.set(p.anim, "fin");
    p.set(p.comp, "fin");
    const auto again = change(p.comp, "sg_status_list", "wtg", "fin");
    p.plugin.handle(again, {.attempt = 2, .redelivered = true});
    CHECK(p.site.count("update") == 1);
    CHECK(p.status(p.shot) == "fin");
}

TEST_CASE("an event that failed half way is made good by its next try") {
    Production p;
    p.set(p.anim, "fin");
    p.site.fail_next(sg::Error(sg::Cause::busy, "slow down"));
    CHECK_THROWS_AS(p.set(p.comp, "fin"), sg::Error);
    CHECK(p.status(p.shot) == "ip");
    p.plugin.handle(change(p.comp, "sg_status_list", "wtg", "fin"), {.attempt = 2});
    CHECK(p.status(p.shot) == "fin");
}

TEST_CASE("an event that comes late is judged by the Tasks as they are now") {
    Production p;
    p.set(p.anim, "fin");
    p.site.set(p.comp, "sg_status_list", "ip");  // fin and back again before the first event arrived
    p.plugin.handle(change(p.comp, "sg_status_list", "wtg", "fin"));
    p.plugin.handle(change(p.comp, "sg_status_list", "fin", "ip"));
    CHECK(p.status(p.shot) == "ip");
    CHECK(p.site.count("update") == 0);
}

TEST_CASE("a change between two statuses that are not final asks the site nothing") {
    Production p;
    p.set(p.anim, "ip");
    CHECK(p.site.seen().empty());
}

TEST_CASE("a Task that is omitted holds nothing back, and one that is no longer omitted does") {
    Production p;
    p.set(p.anim, "fin");
    p.set(p.comp, "omt");
    CHECK(p.status(p.shot) == "fin");
    p.set(p.comp, "ip");
    CHECK(p.status(p.shot) == "ip");
}

TEST_CASE("an omitted Shot, and one whose Tasks are all omitted, are left alone") {
    Production p;
    p.set(p.anim, "omt");
    p.set(p.comp, "omt");
    CHECK(p.status(p.shot) == "ip");
    p.site.set(p.shot, "sg_status_list", "omt");
    p.set(p.anim, "fin");
    CHECK(p.status(p.shot) == "omt");
}

TEST_CASE("a Task that is retired no longer holds its Shot back, though the event names no entity") {
    Production p;
    p.set(p.anim, "fin");
    p.site.retire(p.comp);
    CHECK(p.plugin.handle(life_cycle(p.comp, "Retirement")) == 1);
    CHECK(p.status(p.shot) == "fin");
}

TEST_CASE("an old change of a Task that is retired by now still finds its Shot") {
    Production p;
    p.site.set(p.anim, "sg_status_list", "fin");
    p.site.retire(p.comp);
    auto row = change(p.comp, "sg_status_list", "fin", "ip");
    row["entity"] = nullptr;
    p.plugin.handle(row);
    CHECK(p.status(p.shot) == "fin");
}

TEST_CASE("a Task that moves to another Shot counts there and no longer here") {
    Production p;
    const auto other = p.site.add("Shot", {{"code", "sh020"}, {"sg_status_list", "fin"}});
    p.task("light", other, "fin");
    p.set(p.anim, "fin");
    p.site.set(p.comp, "entity", other);
    p.plugin.handle(change(p.comp, "entity", p.shot, other));
    CHECK(p.status(p.shot) == "fin");
    CHECK(p.status(other) == "ip");
}

TEST_CASE("a back reference is read as the Shot's, not as the Task's") {
    Production p;
    p.site.set(p.shot, "sg_status_list", "fin");
    auto row = change(p.shot, "tasks", nullptr, nullptr);
    row["meta"] = {{"type", "attribute_change"},
                   {"attribute_name", "tasks"},
                   {"entity_type", "Task"},
                   {"entity_id", p.comp.id},
                   {"original_event_log_entry_id", 7},
                   {"actual_attribute_changed", "Task.entity"},
                   {"added", {{{"type", "Task"}, {"id", p.comp.id}}}},
                   {"removed", json::array()}};
    CHECK(p.plugin.handle(row) == 1);
    CHECK(p.status(p.shot) == "ip");
}

TEST_CASE("Shots of one name in two projects are not confused") {
    Production p;
    const auto project = p.site.add("Project", {{"name", "Second"}});
    const auto twin = p.site.add("Shot", {{"code", "sh010"}, {"sg_status_list", "ip"}, {"project", project}});
    const auto only = p.task("comp", twin);
    p.set(only, "fin");
    CHECK(p.status(twin) == "fin");
    CHECK(p.status(p.shot) == "ip");
}

TEST_CASE("rows that name nothing, Tasks of Assets and Shots retired since are passed over") {
    Production p;
    const auto asset = p.site.add("Asset", {{"code", "rock"}, {"sg_status_list", "ip"}});
    p.set(p.task("model", asset), "fin");
    CHECK(p.status(asset) == "ip");

    auto row = change(p.anim, "sg_status_list", "wtg", "fin");
    row["entity"] = row["meta"] = nullptr;
    row["event_type"] = "Shotgun_Task_Revival";
    p.plugin.handle(row);

    p.set(p.anim, "fin");
    p.site.retire(p.shot);
    p.set(p.comp, "fin");
    CHECK(p.site.count("update") == 0);
}

TEST_CASE("the statuses are the studio's to choose") {
    Production p(json{{"final", "apr"}, {"open", "act"}, {"ignored", json::array()}});
    p.set(p.anim, "apr");
    p.set(p.comp, "apr");
    CHECK(p.status(p.shot) == "apr");
    p.set(p.comp, "omt");
    CHECK(p.status(p.shot) == "act");
}

TEST_CASE("an argument that makes no sense refuses the plugin and is named") {
    CHECK_THAT(refusal({{"finnal", "fin"}}), Catch::Contains("finnal"));
    CHECK_THAT(refusal({{"final", 7}}), Catch::Contains("'final'"));
    CHECK_THAT(refusal({{"open", ""}}), Catch::Contains("'open'"));
    CHECK_THAT(refusal({{"ignored", "omt"}}), Catch::Contains("'ignored'"));
    CHECK_THAT(refusal({{"final", "ip"}}), Catch::Contains("'final'"));
    CHECK_THAT(refusal(json::array({1})), Catch::Contains("map"));
    CHECK(refusal(nullptr) == "accepted");
}
