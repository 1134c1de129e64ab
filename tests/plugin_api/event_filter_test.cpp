// The table of filters: what each form matches among five events.

#include <array>
#include <sg/event_filter.hpp>

#include "catch.hpp"

using nlohmann::json;
using sg::Cause;
using sg::Error;
using sg::EventFilter;

namespace {

constexpr const char* shot_change = "Shotgun_Shot_Change";
constexpr const char* shot_new = "Shotgun_Shot_New";
constexpr const char* task_change = "Shotgun_Task_Change";

/// One letter for each event of the table: a Shot's code, another of its fields, a Shot change
/// without attribute, a new Shot, a Task's code. A dash where the filter does not match.
std::string matched(const EventFilter& filter) {
    struct Row {
        const char *type, *attribute;
    };
    constexpr std::array<Row, 5> rows{{{shot_change, "code"},
                                       {shot_change, "description"},
                                       {shot_change, ""},
                                       {shot_new, ""},
                                       {task_change, "code"}}};
    std::string out;
    for (std::size_t i = 0; i < rows.size(); ++i)
        out += filter.matches(rows[i].type, rows[i].attribute) ? "COANT"[i] : '-';
    return out;
}

/// Also what became of the filter on its way to the daemon and back.
std::string matched_json(const json& text) {
    const auto filter = EventFilter::from_json(text);
    const auto here = matched(filter), there = matched(EventFilter::from_json(filter.to_json()));
    return here == there ? here : here + " became " + there;
}

}  // namespace

TEST_CASE("C27 no filter, null and an empty map match every event", "[plugin_api]") {
    CHECK(matched(EventFilter{}) == "COANT");
    CHECK(matched_json(nullptr) == "COANT");
    CHECK(matched_json(json::object()) == "COANT");
}

TEST_CASE("C28 every type with every attribute matches every event", "[plugin_api]") {
    CHECK(matched_json({{"*", json::array({"*"})}}) == "COANT");
    CHECK(matched_json({{"*", nullptr}}) == "COANT");
    CHECK(matched(EventFilter{}.on("*")) == "COANT");
    CHECK(matched(EventFilter{}.on("*", {"*"})) == "COANT");
}

TEST_CASE("C29 an attribute of every type matches only its changes", "[plugin_api]") {
    CHECK(matched_json({{"*", json::array({"code"})}}) == "C---T");
    CHECK(matched(EventFilter{}.on("*", {"code"})) == "C---T");
}

TEST_CASE("C30 what is said of every type adds to what is said of one", "[plugin_api]") {
    CHECK(matched_json({{"*", json::array({"code"})}, {shot_new, nullptr}}) == "C--NT");
    CHECK(matched(EventFilter{}.on("*", {"code"}).on(shot_new)) == "C--NT");
}

TEST_CASE("C31 a type alone, or with every attribute, matches all of its events and no other",
          "[plugin_api]") {
    CHECK(matched_json({{shot_change, nullptr}}) == "COA--");
    CHECK(matched_json({{shot_change, json::array({"*"})}}) == "COA--");
    CHECK(matched(EventFilter{}.on(shot_change)) == "COA--");
}

TEST_CASE("C32 attribute names compare whole and case-sensitively", "[plugin_api]") {
    const auto filter = EventFilter::from_json({{shot_change, json::array({"code"})}});
    CHECK(matched(filter) == "C----");
    CHECK_FALSE(filter.matches(shot_change, "Code"));
    CHECK_FALSE(filter.matches(shot_change, "sg_code"));
    CHECK_FALSE(filter.matches("shotgun_shot_change", "code"));
    CHECK_FALSE(filter.matches("", "code"));
}

TEST_CASE("C33 an empty list of attributes matches nothing, and can be told apart", "[plugin_api]") {
    const auto filter = EventFilter::from_json({{shot_change, json::array()}});
    CHECK(matched(filter) == "-----");
    CHECK(matched_json({{shot_change, json::array()}}) == "-----");
    REQUIRE(filter.entries().size() == 1);
    CHECK_FALSE(filter.entries().begin()->second.everything);
    CHECK(filter.entries().begin()->second.attributes.empty());
}

TEST_CASE("C34 a name without a list means that name, not a part of it", "[plugin_api]") {
    const auto filter = EventFilter::from_json({{shot_change, "sg_status_list"}});
    CHECK(filter.matches(shot_change, "sg_status_list"));
    CHECK_FALSE(filter.matches(shot_change, "status"));
    CHECK(matched_json({{shot_change, "code"}}) == "C----");
}

TEST_CASE("a filter that cannot be meant is refused, and says which type it stands under", "[plugin_api]") {
    const auto refusal = [](const json& text) -> std::string {
        try {
            EventFilter::from_json(text);
        } catch (const Error& e) {
            return e.cause() == Cause::invalid ? e.what() : "wrong cause";
        }
        return "accepted";
    };
    CHECK_THAT(refusal("Shotgun_Shot_Change"), Catch::Contains("object"));
    CHECK_THAT(refusal(json::array({shot_change})), Catch::Contains("object"));
    CHECK_THAT(refusal({{shot_change, 5}}), Catch::Contains(shot_change));
    CHECK_THAT(refusal({{shot_change, json::array({"code", 5})}}), Catch::Contains(shot_change));
    CHECK_THAT(refusal({{shot_change, ""}}), Catch::Contains("no name"));
    CHECK_THAT(refusal({{"", nullptr}}), Catch::Contains("event type"));
}
