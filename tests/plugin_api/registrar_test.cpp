// What a plugin registers, as it arrives on the other side, and the site a test stands it on.

#include <sg/plugin.hpp>
#include <sg/testing.hpp>

#include "catch.hpp"

using nlohmann::json;
using sg::Cause;
using sg::Error;
using sg::EventFilter;
using sg::testing::FakeSite;
using sg::testing::Plugin;

namespace {

void nothing(const sg::Event&, sg::Context&) {}

/// What each test registers; the entry below calls it, as the macro of a real plugin would.
void (*registering)(sg::Registrar&) = nullptr;

Cause refused(void (*how)(sg::Registrar&), std::string* text = nullptr) {
    FakeSite site;
    registering = how;
    try {
        Plugin plugin(site);
    } catch (const Error& e) {
        if (text != nullptr) *text = e.what();
        return e.cause();
    }
    FAIL("the registration was accepted");
    return {};
}

}  // namespace

SG_PLUGIN(registrar) { registering(registrar); }

TEST_CASE("a card-sized registration is named after what it listens to", "[plugin_api]") {
    FakeSite site;
    registering = [](sg::Registrar& registrar) {
        registrar.on("Shotgun_Version_Change", "sg_status_list", nothing);
        registrar.on("Shotgun_Shot_New", nothing);
        registrar.on("Shotgun_Task_Change", {"sg_status_list", "entity"}, nothing);
        registrar.on("*", [](const sg::Event&, sg::Context&) {});
    };
    Plugin plugin(site);
    REQUIRE(plugin.callbacks().size() == 4);
    CHECK(plugin.callbacks()[0].name == "Shotgun_Version_Change.sg_status_list");
    CHECK(plugin.callbacks()[1].name == "Shotgun_Shot_New");
    CHECK(plugin.callbacks()[2].name == "Shotgun_Task_Change.sg_status_list,entity");
    CHECK(plugin.callbacks()[2].filter.to_json() ==
          json{{"Shotgun_Task_Change", {"sg_status_list", "entity"}}});
    CHECK(plugin.callbacks()[3].filter.matches("ClientUser_Login", ""));
}

TEST_CASE("every member of a registration arrives by its name", "[plugin_api]") {
    FakeSite site;
    registering = [](sg::Registrar& registrar) {
        registrar.add({.name = "full",
                       .filter = EventFilter{}.on("Shotgun_Shot_New"),
                       .callback = nothing,
                       .args = {{"speed", 3}},
                       .credential = sg::Credential::named("renders")});
        registrar.add(
            {.name = "own key", .callback = nothing, .credential = sg::Credential::script("s", "k")});
        registrar.add({.name = "bare", .callback = nothing});
        registrar.alerts_to({"td@example.com", "sup@example.com"});
        registrar.log_level(sg::LogLevel::debug);
    };
    Plugin plugin(site, {{"speed", 1}});
    REQUIRE(plugin.callbacks().size() == 3);
    CHECK(plugin.callbacks()[0].args == json{{"speed", 3}});
    CHECK(plugin.callbacks()[0].credential == "renders");
    CHECK(plugin.callbacks()[1].credential == json{{"script_name", "s"}, {"script_key", "k"}});
    CHECK(plugin.callbacks()[2].args.is_null());
    CHECK(plugin.callbacks()[2].filter.matches("anything", "at all"));
    CHECK(plugin.alerts() == json{"td@example.com", "sup@example.com"});
    CHECK(plugin.log_level() == json("debug"));
}

TEST_CASE("a registration that cannot work is refused while the plugin is loaded", "[plugin_api]") {
    std::string text;
    CHECK(refused([](sg::Registrar& r) { r.add({.name = "", .callback = nothing}); }) == Cause::invalid);
    CHECK(refused([](sg::Registrar& r) { r.add({.name = "empty"}); }, &text) == Cause::invalid);
    CHECK_THAT(text, Catch::Contains("'empty'"));
    CHECK(refused([](sg::Registrar& r) {
              void (*none)(const sg::Event&, sg::Context&) = nullptr;
              r.on("Shotgun_Shot_New", none);
          }) == Cause::invalid);
    CHECK(refused([](sg::Registrar& r) {
              r.on("Shotgun_Shot_New", nothing);
              r.on("Shotgun_Shot_New", nothing);
          }) == Cause::invalid);
    CHECK(refused([](sg::Registrar& r) { r.on("Shotgun_Shot_Change", "", nothing); }) == Cause::invalid);
}

TEST_CASE("what a registration says of events, windows and overlaps arrives by name", "[plugin_api]") {
    FakeSite site;
    registering = [](sg::Registrar& registrar) {
        registrar.add({.name = "choosy",
                       .callback = nothing,
                       .concurrency = 4,
                       .keep_order = sg::KeepOrder::by_key,
                       .key = [](const sg::Event& event) { return std::string(event.type()); },
                       .only = {.projects = {65, 0}, .new_values = {"rev"}},
                       .never = {.users = {{"HumanUser", 7, "Ada"}}, .own = true},
                       .fields = {"description"}});
        registrar.add({.name = "burst",
                       .callback = nothing,
                       .coalesce = std::chrono::seconds(2),
                       .coalesce_by = sg::MergeBy::project});
        registrar.add({.name = "new", .callback = nothing, .settle = std::chrono::milliseconds(500)});
    };
    Plugin plugin(site);
    REQUIRE(plugin.callbacks().size() == 3);
    CHECK(plugin.callbacks()[0].settings ==
          json::parse(R"({"concurrency": 4, "keep_order": "key", "fields": ["description"],
                          "only": {"projects": [65, 0], "new_values": ["rev"]},
                          "never": {"users": [{"type": "HumanUser", "id": 7}], "own": true}})"));
    const sg::testing::EventFromJson event(sg::testing::life_cycle({"Shot", 1, "sh010"}, "New"));
    CHECK(plugin.callbacks()[0].callback->key(event) == "Shotgun_Shot_New");
    CHECK(plugin.callbacks()[1].settings == json::parse(R"({"coalesce": {"ms": 2000, "by": "project"}})"));
    CHECK(plugin.callbacks()[2].settings == json::parse(R"({"settle": 500})"));
}

TEST_CASE("an order by a key needs one", "[plugin_api]") {
    CHECK(refused([](sg::Registrar& r) {
              r.add(
                  {.name = "n", .callback = nothing, .concurrency = 2, .keep_order = sg::KeepOrder::by_key});
          }) == Cause::invalid);
}

TEST_CASE("a function object keeps its state between calls, and a failure is the caller's to see",
          "[plugin_api]") {
    static int seen;
    seen = 0;
    FakeSite site;
    registering = [](sg::Registrar& registrar) {
        registrar.on("Shotgun_Shot_New",
                     [calls = std::make_unique<int>(0)](const sg::Event&, sg::Context& c) {
                         seen = ++*calls;
                         if (c.attempt() == 3) throw Error(Cause::busy, "not now");
                     });
    };
    Plugin plugin(site);
    const auto row = sg::testing::life_cycle({"Shot", 1, "sh010"}, "New");
    CHECK(plugin.handle(row) == 1);
    CHECK(plugin.handle(row) == 1);
    CHECK(seen == 2);
    CHECK_THROWS_AS(plugin.handle(row, {.attempt = 3}), Error);
    CHECK(plugin.handle(sg::testing::life_cycle({"Asset", 1, "rock"}, "New")) == 0);
}

TEST_CASE("one filter condition means the same with and without its outer list", "[plugin_api]") {
    FakeSite site;
    const auto shot = site.add("Shot", {{"code", "sh010"}});
    const auto task = site.add("Task", {{"content", "comp"}, {"entity", shot}});
    site.add("Task", {{"content", "anim"}});
    CHECK(site.find("Task", {"entity", "is", shot}).size() == 1);
    CHECK(site.find("Task", json::array({json::array({"entity", "is", shot})})).size() == 1);
    CHECK(site.find("Task", {{"entity", "is", shot}, {"content", "is_not", "comp"}}).empty());
    CHECK(site.find("Task", {}).size() == 2);
    CHECK(site.find("Task", json::array()).size() == 2);
    const auto row = site.find_one("Task", {"id", "is", task.id}, {"entity.Shot.code"});
    CHECK(row.at("entity.Shot.code") == "sh010");
    CHECK(site.find_one("Task", {"id", "is", 999}).is_null());
    for (const auto& seen : site.seen()) CHECK(seen.arguments.at("filters").is_array());
}

TEST_CASE("the fake site orders, limits, groups, retires and refuses", "[plugin_api]") {
    FakeSite site;
    const auto a = site.add("Shot", {{"code", "a"}, {"cut", 3}}),
               b = site.add("Shot", {{"code", "b"}, {"cut", 1}});
    const auto codes = [](const json& rows) {
        std::string out;
        for (const auto& row : rows) out += row.at("code").get<std::string>();
        return out;
    };
    sg::FindOptions by_cut;
    by_cut.order = json::array({{{"field_name", "cut"}, {"direction", "asc"}}});
    CHECK(codes(site.find("Shot", {}, {"code"}, by_cut)) == "ba");
    by_cut.limit = 1;
    CHECK(codes(site.find("Shot", {}, {"code"}, by_cut)) == "b");
    const json either{{"filter_operator", "any"},
                      {"filters", json::array({json::array({"cut", "greater_than", 2}),
                                               json::array({"code", "in", json::array({"b"})})})}};
    CHECK(codes(site.find("Shot", json::array({either}), {"code"})) == "ab");
    CHECK(site.remove("Shot", a.id));
    CHECK_FALSE(site.remove("Shot", a.id));
    CHECK(codes(site.find("Shot", {}, {"code"})) == "b");
    CHECK_THROWS_AS(site.update(a, {{"code", "c"}}), Error);
    CHECK_THROWS_AS(site.find("Shot", {"code", "sounds_like", "b"}), Error);
    CHECK_THROWS_AS(site.call("summarize", {}), Error);

    site.fail_next(Error(Cause::busy, "slow down"));
    CHECK_THROWS_AS(site.update(b, {{"code", "c"}}), Error);
    CHECK(site.row(b).at("code") == "b");
}

TEST_CASE("every change on the fake site can be handed back as the event it causes", "[plugin_api]") {
    FakeSite site;
    const auto made = site.create("Shot", {{"code", "sh010"}});
    site.update("Shot", made.at("id").get<sg::EntityId>(), {{"code", "sh011"}});
    site.update("Shot", made.at("id").get<sg::EntityId>(), {{"code", "sh011"}});  // changes nothing
    const auto events = site.take_events();
    REQUIRE(events.size() == 2);
    const sg::testing::EventFromJson born(events[0]), renamed(events[1]);
    CHECK(born.type() == "Shotgun_Shot_New");
    CHECK(renamed.type() == "Shotgun_Shot_Change");
    CHECK(renamed.old_value() == "sh010");
    CHECK(renamed.new_value() == "sh011");
    CHECK(renamed.id() > born.id());
    CHECK(site.take_events().empty());
}
