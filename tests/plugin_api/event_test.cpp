// What `Event` and `EntityRef` make of whole, odd and empty rows.

#include <sg/testing/event.hpp>

#include <type_traits>

#include "catch.hpp"

using nlohmann::json;
using sg::EntityRef;
using sg::testing::EventFromJson;

TEST_CASE("every part of a plain change can be read", "[plugin_api]") {
    const EventFromJson event(json::parse(R"({"type": "EventLogEntry", "id": 9007199254740993,
        "event_type": "Shotgun_Task_Change", "attribute_name": "sg_status_list",
        "entity": {"type": "Task", "id": 11793, "name": "Art"}, "project": {"type": "Project", "id": 70, "name": "Demo"},
        "user": {"type": "HumanUser", "id": 42, "name": "Ravi"}, "session_uuid": "e8b61250",
        "created_at": "2026-03-04T05:06:07Z",
        "meta": {"type": "attribute_change", "attribute_name": "sg_status_list", "entity_type": "Task",
                 "entity_id": 11793, "old_value": "fin", "new_value": "wtg"}})"));
    CHECK(event.id() == 9007199254740993);
    CHECK(event.type() == "Shotgun_Task_Change");
    CHECK(event.attribute() == "sg_status_list");
    CHECK(event.entity() == EntityRef{"Task", 11793, "Art"});
    CHECK(event.entity().name == "Art");
    CHECK(event.meta_entity() == event.entity());
    CHECK(event.project_id() == 70);
    CHECK(event.project().name == "Demo");
    CHECK(event.user().type == "HumanUser");
    CHECK(event.session_uuid() == "e8b61250");
    CHECK(event.created_at().time_since_epoch() == std::chrono::seconds(1772600767));
    CHECK(event.old_value() == "fin");
    CHECK(event.new_value() == "wtg");
    CHECK(event.added().is_null());
    CHECK_FALSE(event.in_create());
    CHECK_FALSE(event.is_back_reference());
}

TEST_CASE("a row of nulls, of nothing, or of the wrong kinds reads as empty", "[plugin_api]") {
    const auto* text = GENERATE(
        R"({"id": 5, "event_type": null, "attribute_name": null, "entity": null, "project": null, "user": null,
            "session_uuid": null, "created_at": null, "meta": null})",
        R"({"id": 5})",
        R"({"id": 5, "event_type": 7, "attribute_name": [], "entity": "Shot", "project": {"type": "Project"},
            "user": {"type": null, "id": 1}, "session_uuid": 3, "created_at": "yesterday", "meta": "x"})",
        R"({"id": 5, "entity": {"type": "Shot", "id": "862"}, "meta": {"in_create": 1, "entity_id": 4}})");
    const EventFromJson event(json::parse(text));
    CHECK(event.id() == 5);
    CHECK(event.type().empty());
    CHECK(event.attribute().empty());
    CHECK_FALSE(event.entity());
    CHECK_FALSE(event.meta_entity());
    CHECK_FALSE(event.project());
    CHECK(event.project_id() == 0);
    CHECK_FALSE(event.user());
    CHECK(event.session_uuid().empty());
    CHECK(event.created_at() == sg::UtcTime{});
    CHECK(event.old_value().is_null());
    CHECK(event.new_value().is_null());
    CHECK(event.removed().is_null());
    CHECK_FALSE(event.in_create());
    CHECK(event.field("no_such_field").is_null());
}

TEST_CASE("C38 a callback cannot change the event that others see", "[plugin_api]") {
    // Whoever tries does not compile.
    STATIC_REQUIRE_FALSE(std::is_assignable_v<decltype(std::declval<const sg::Event&>().json()), json>);
    STATIC_REQUIRE_FALSE(std::is_assignable_v<decltype(std::declval<const sg::Event&>().meta()), json>);
    STATIC_REQUIRE_FALSE(std::is_assignable_v<decltype(std::declval<const sg::Event&>().field("x")), json>);
    STATIC_REQUIRE_FALSE(std::is_invocable_v<void (*)(sg::Event&), const sg::Event&>);
}

TEST_CASE("a retired entity can still be told from the meta data", "[plugin_api]") {
    auto row = sg::testing::change({"Shot", 1274, "sh010"}, "retirement_date", nullptr, "2026-03-04");
    row["entity"] = nullptr;
    const EventFromJson event(row);
    CHECK_FALSE(event.entity());
    CHECK(event.meta_entity() == EntityRef{"Shot", 1274, {}});
}

TEST_CASE("a back reference speaks of the far side, and its meta data of the near one", "[plugin_api]") {
    const EventFromJson event(json::parse(R"({"id": 2017311, "event_type": "Shotgun_Shot_Change",
        "attribute_name": "tasks", "entity": {"type": "Shot", "id": 862, "name": "sh010"},
        "meta": {"type": "attribute_change", "attribute_name": "tasks", "actual_attribute_changed": "Task.entity",
                 "original_event_log_entry_id": 2017310, "entity_type": "Task", "entity_id": 67519,
                 "added": [{"type": "Task", "id": 67519, "name": "Comp"}], "removed": []}})"));
    CHECK(event.is_back_reference());
    CHECK(event.entity() == EntityRef{"Shot", 862, {}});
    CHECK(event.meta_entity() == EntityRef{"Task", 67519, {}});
    REQUIRE(event.added().size() == 1);
    CHECK(EntityRef::from_json(event.added().front()).name == "Comp");
    CHECK(event.removed().empty());
    CHECK(event.new_value().is_null());
}

TEST_CASE("a link without a name is a link, and goes to the site without one", "[plugin_api]") {
    const auto link = EntityRef::from_json({{"type", "Asset"}, {"id", 13}, {"valid", "valid"}});
    CHECK(link);
    CHECK(link.name.empty());
    CHECK(json(link) == json{{"type", "Asset"}, {"id", 13}});
    CHECK(json(EntityRef{"Asset", 13, "rock"}) == json{{"type", "Asset"}, {"id", 13}});
    CHECK(json(EntityRef{}).is_null());
    CHECK(EntityRef{"Asset", 13, "rock"} == link);
    CHECK_FALSE(EntityRef{"Shot", 13, "rock"} == link);
}

TEST_CASE("the bytes of an event are the bytes it was made of", "[plugin_api]") {
    const auto text = R"({"id":1,"meta":{"new_value":"Grüße, 日本"}})";
    const EventFromJson event(json::parse(text));
    CHECK(event.raw() == text);
    CHECK(event.new_value() == "Grüße, 日本");
}
