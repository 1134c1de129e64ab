// The methods beside reading and writing single rows.
#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace methods_test {

using namespace sg;
using namespace sg::test;

namespace {

Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }
Json field(const std::string& name, const Json& value) { return {{"field_name", name}, {"value", value}}; }
Json object() { return Json::object(); }

/// The reference case for `summarize`: four shots with durations and statuses; people, a note and its thread.
struct Studio {
    Studio() {
        project = site.add("Project", {{"name", "Aurora"}});
        site.add_person("Rhea Voss", "rhea", "pass");
        site.add_person("Ravi Rao", "ravi");
        sequence = site.add("Sequence", {{"code", "seq01"}, {"project", link("Project", project)}});
        const auto shot = [&](const char* code, int duration, const char* status) {
            return site.add("Shot", {{"code", code},
                                     {"project", link("Project", project)},
                                     {"sg_duration", duration},
                                     {"sg_status_list", status}});
        };
        shot("sh010", 100, "ip");
        shot("sh020", 100, "ip");
        shot("sh030", 100, "fin");
        shot("bunny_040", 0, "wtg");
        site.update({}, "Shot", 1, {{"sg_sequence", link("Sequence", sequence)}});
        site.add("Asset",
                 {{"code", "Bunny"}, {"project", link("Project", project)}, {"sg_asset_type", "Character"}});
        site.add("Task",
                 {{"content", "Comp"}, {"project", link("Project", project)}, {"entity", link("Shot", 4)}});
    }
    Json ask(const std::string& method, const Json& params) { return client.results(method, params); }
    std::string refusal(const std::string& method, const Json& params, int code = 103) {
        const auto fault = ask(method, params);
        INFO(fault.dump());
        REQUIRE(fault.is_object());
        REQUIRE(fault.value("exception", false));
        CHECK(fault["error_code"] == code);
        return fault["message"].get<std::string>();
    }

    ManualClock clock;
    sandbox::Site site{{.clock = &clock}};
    RawClient client{site.url()};
    std::int64_t project = 0, sequence = 0;
};

Json groups_by(const Json& answer) {
    auto out = Json::array();
    for (const auto& group : answer["groups"]) out.push_back({group["group_name"], group["summaries"]});
    return out;
}

}  // namespace

TEST_CASE("a batch answers one result per request, in order") {
    Studio s;
    const auto got = s.ask(
        "batch", {{{"request_type", "create"},
                   {"type", "Shot"},
                   {"fields", {field("code", "a"), field("project", link("Project", s.project))}},
                   {"return_fields", {"id"}}},
                  {{"request_type", "update"}, {"type", "Shot"}, {"id", 1}, {"fields", {field("code", "b")}}},
                  {{"request_type", "delete"}, {"type", "Shot"}, {"id", 2}}});
    REQUIRE(got.size() == 3);
    CHECK(got[0]["code"] == "a");
    CHECK(got[1] == Json{{"type", "Shot"}, {"id", 1}, {"code", "b"}});
    CHECK(got[2] == true);
    CHECK(s.ask("batch", Json::array()) == Json::array());
}

TEST_CASE("a batch that fails has changed nothing, events included, and names the request") {
    Studio s;
    const auto events = s.site.event_count();
    const auto text = s.refusal(
        "batch",
        {{{"request_type", "create"},
          {"type", "Task"},
          {"fields",
           {field("content", "x"), field("project", link("Project", 1)), field("entity", link("Shot", 1))}}},
         {{"request_type", "update"}, {"type", "Shot"}, {"id", 1}, {"fields", {field("code", "other")}}},
         {{"request_type", "delete"}, {"type", "Shot"}, {"id", 4}},
         {{"request_type", "update"}, {"type", "Shot"}, {"id", 2}, {"fields", {field("nope", 1)}}}},
        104);
    CHECK(text.starts_with(
        "API batch() request with index 3 failed.  All requests rolled back.\nAPI update() Shot.nope"));
    CHECK(s.site.event_count() == events);
    CHECK(s.site.value("Shot", 1, "code") == "sh010");
    CHECK(s.site.value("Shot", 1, "tasks") == Json::array());
    CHECK(ids(s.client.rows("Shot", {}, {"id"})).size() == 4);
    CHECK(ids(s.client.rows("Task", {}, {"id"})) == std::vector<std::int64_t>{1});
    CHECK(s.refusal("batch", {{{"request_type", "revive"}, {"type", "Shot"}, {"id", 1}}}, 104)
              .find("request_type") != std::string::npos);
}

TEST_CASE("summarize totals, groups and nests") {
    Studio s;
    Json params{
        {"type", "Shot"},
        {"summaries", {{{"field", "id"}, {"type", "count"}}, {{"field", "sg_duration"}, {"type", "sum"}}}},
        {"filters", {{"logical_operator", "and"}, {"conditions", Json::array()}}},
        {"grouping", {{{"field", "sg_status_list"}, {"type", "exact"}, {"direction", "asc"}}}}};
    const auto got = s.ask("summarize", params);
    CHECK(got["summaries"] == Json{{"id", 4}, {"sg_duration", 300}});
    CHECK(groups_by(got) == Json::parse(R"([["fin", {"id": 1, "sg_duration": 100}],
                                           ["ip", {"id": 2, "sg_duration": 200}],
                                           ["wtg", {"id": 1, "sg_duration": 0}]])"));
    params["grouping"] = {{{"field", "sg_sequence"}, {"type", "exact"}, {"direction", "desc"}},
                          {{"field", "code"}, {"type", "firstletter"}}};
    const auto nested = s.ask("summarize", params)["groups"];
    REQUIRE(nested.size() == 2);
    CHECK(nested[0]["group_value"] ==
          Json{{"type", "Sequence"}, {"id", 1}, {"name", "seq01"}, {"valid", "valid"}});
    CHECK(nested[1]["group_name"] == "");
    CHECK(nested[1]["group_value"].is_null());
    CHECK(nested[1]["groups"].size() == 2);
    CHECK_FALSE(nested[1]["groups"][0].contains("groups"));
    params.erase("grouping");
    CHECK(s.ask("summarize", params)["groups"] == Json::array());
    s.site.update({}, "Project", s.project, {{"archived", true}});
    params["include_archived_projects"] = false;
    CHECK(s.ask("summarize", params)["summaries"]["id"] == 0);
}

TEST_CASE("summaries know their data types, and what is unclear is refused by name") {
    Studio s;
    const auto of = [&](const std::string& name, const std::string& type) {
        return s.ask("summarize", {{"type", "Shot"}, {"summaries", {{{"field", name}, {"type", type}}}}});
    };
    const auto value = [&](const std::string& name, const std::string& type) {
        return of(name, type)["summaries"][name];
    };
    CHECK(value("id", "record_count") == 4);
    CHECK(value("sg_sequence", "count") == 1);
    CHECK(value("sg_duration", "maximum") == 100);
    CHECK(value("sg_duration", "minimum") == 0);
    CHECK(value("sg_duration", "average") == 75.0);
    CHECK(value("sg_due_date", "latest").is_null());
    CHECK(value("sg_omitted", "unchecked") == 4);
    CHECK(value("sg_status_list", "status_list") == "ip");
    CHECK(of("code", "sum")["error_code"] == 103);
    CHECK(of("sg_duration", "percentage")["message"].get<std::string>().find("'percentage'") !=
          std::string::npos);
    CHECK(of("nope", "count")["error_code"] == 103);
}

TEST_CASE("numbers and dates are grouped by size and by calendar") {
    Studio s;
    s.site.update({}, "Shot", 1, {{"sg_due_date", "2026-05-20"}});
    const auto names = [&](const std::string& name, const std::string& type) {
        auto out = Json::array();
        const auto got = s.ask("summarize", {{"type", "Shot"},
                                             {"summaries", {{{"field", "id"}, {"type", "count"}}}},
                                             {"grouping", {{{"field", name}, {"type", type}}}}});
        if (!got.contains("groups")) return got;
        for (const auto& group : got["groups"]) out.push_back(group["group_value"]);
        return out;
    };
    CHECK(names("sg_duration", "hundreds") == Json{0, 100});
    CHECK(names("sg_due_date", "day") == Json{nullptr, "2026-05-20"});
    CHECK(names("sg_due_date", "week") == Json{nullptr, "2026-05-18"});
    CHECK(names("sg_due_date", "quarter") == Json{nullptr, "2026-04-01"});
    CHECK(names("sg_due_date", "year") == Json{nullptr, "2026-01-01"});
    CHECK(names("sg_sequence", "entitytype") == Json{nullptr, "Sequence"});
    CHECK(names("sg_due_date", "clustered_date")["error_code"] == 103);
    CHECK(names("code", "tens")["error_code"] == 103);
}

TEST_CASE("events are grouped by what they tell of, also by what the site never had") {
    Studio s;
    const auto before = s.site.newest_id();
    s.site.add_event({.entity = {{"type", "Shot"}, {"id", 77}, {"name", "Été"}}});
    s.site.add_event({.entity = link("Shot", 1)});
    const auto by = [&](const std::string& type) {
        return s.ask(
            "summarize",
            {{"type", "EventLogEntry"},
             {"summaries", {{{"field", "id"}, {"type", "count"}}}},
             {"filters",
              {{"logical_operator", "and"}, {"conditions", {condition("id", "greater_than", before)}}}},
             {"grouping", {{{"field", "entity"}, {"type", type}}}}})["groups"];
    };
    const auto exact = by("exact");
    REQUIRE(exact.size() == 2);
    CHECK(exact[0]["group_name"] == "sh010");
    CHECK(exact[1]["group_name"] == "Été");
    CHECK(by("firstletter")[1]["group_value"] == "É");
    CHECK(by("entitytype").size() == 1);
}

TEST_CASE("a text search finds words in names and in the names of what rows hang on") {
    Studio s;
    const Json all{{"logical_operator", "and"}, {"conditions", Json::array()}};
    const auto got =
        s.ask("query_display_name_cache", {{"text", "BUNny"},
                                           {"project_ids", {s.project}},
                                           {"max_results", nullptr},
                                           {"entity_types", {{"Asset", all}, {"Shot", all}, {"Task", all}}}});
    CHECK(got["terms"] == Json{"bunny"});
    REQUIRE(got["matches"].size() == 3);
    CHECK(got["matches"][0]["name"] == "Comp");  // the shortest name first
    CHECK(got["matches"][0]["links"] == Json{"Shot", "bunny_040"});
    CHECK(got["matches"][1] == Json{{"type", "Asset"},
                                    {"id", 1},
                                    {"name", "Bunny"},
                                    {"project_id", s.project},
                                    {"image", nullptr},
                                    {"links", {"", ""}},
                                    {"status", "wtg"}});
    s.refusal("query_display_name_cache", {{"text", "ab"}, {"entity_types", {{"Shot", all}}}});
}

TEST_CASE("navigation opens one level per call and finds by name and by entity") {
    Studio s;
    const auto root =
        s.ask("nav_expand", {{"path", "/"}, {"seed_entity_field", nullptr}, {"entity_fields", nullptr}});
    REQUIRE(root["children"].size() == 1);
    CHECK(root["children"][0]["path"] == "/Project/1");
    const auto shots =
        s.ask("nav_expand", {{"path", "/Project/1/Shot"}, {"seed_entity_field", "Version.entity"}});
    REQUIRE(shots["children"].size() == 2);
    CHECK(shots["parent_path"] == "/Project/1");
    CHECK(shots["target_entities"]["type"] == "Version");
    CHECK(shots["children"][0]["path"] == "/Project/1/Shot/sg_sequence/Sequence/1");
    CHECK(shots["children"][1]["label"] == "Shots with no Sequence");
    const auto none = s.ask("nav_expand", {{"path", shots["children"][1]["path"]}});
    CHECK(none["children"].size() == 3);
    CHECK(none["children"][0]["ref"]["kind"] == "entity");
    const auto found =
        s.ask("nav_search", {{"root_path", "/Project/1"}, {"search_criteria", {{"search_string", "BUNNY"}}}});
    REQUIRE(found.size() == 2);
    CHECK(found[0]["ref"] == link("Asset", 1));
    CHECK(found[0]["incremental_path"].back() == "/Project/1/Asset/sg_asset_type/Character/id/1");
    CHECK(s.ask("nav_search", {{"root_path", "/"}, {"search_criteria", {{"entity", link("Shot", 1)}}}})
              .size() == 1);
    s.refusal("nav_expand", {{"path", "/Project/99"}}, 107);
}

TEST_CASE("people follow rows, and each end can be asked") {
    Studio s;
    const Json pair{{"user", link("HumanUser", 1)}, {"entity", link("Shot", 1)}};
    for (int i = 0; i < 2; ++i)
        CHECK(s.ask("follow", pair) ==
              Json{{"followed", true}, {"user", link("HumanUser", 1)}, {"entity", link("Shot", 1)}});
    CHECK(s.ask("followers", {{"entity", link("Shot", 1)}}) == Json::array({{{"type", "HumanUser"},
                                                                             {"id", 1},
                                                                             {"name", "Rhea Voss"},
                                                                             {"status", "act"},
                                                                             {"valid", "valid"}}}));
    CHECK(s.ask("following", {{"user", link("HumanUser", 1)}}) == Json::array({link("Shot", 1)}));
    CHECK(s.ask("following", {{"user", link("HumanUser", 1)}, {"entity_type", "Task"}}) == Json::array());
    CHECK(s.ask("unfollow", pair)["unfollowed"] == true);
    CHECK(s.ask("unfollow", pair)["unfollowed"] == true);
    CHECK(s.ask("followers", {{"entity", link("Shot", 1)}}) == Json::array());
    s.refusal("follow", {{"user", link("Shot", 1)}, {"entity", link("Shot", 1)}});
    s.refusal("followers", {{"entity", link("Shot", 99)}}, 104);
}

TEST_CASE("the work schedule knows the work week and its exceptions") {
    Studio s;
    const auto set = s.ask("work_schedule_update", {{"date", "2026-12-25"},
                                                    {"working", false},
                                                    {"description", "Holiday"},
                                                    {"project", nullptr},
                                                    {"user", nullptr},
                                                    {"recalculate_field", nullptr}});
    CHECK(set == Json{{"date", "2026-12-25"},
                      {"working", false},
                      {"description", "Holiday"},
                      {"project", nullptr},
                      {"user", nullptr}});
    s.ask("work_schedule_update", {{"date", "2026-12-26"},
                                   {"working", true},
                                   {"description", nullptr},
                                   {"user", link("HumanUser", 1)}});
    Json params{
        {"start_date", "2026-12-24"}, {"end_date", "2026-12-26"}, {"project", nullptr}, {"user", nullptr}};
    const auto days = s.ask("work_schedule_read", params);
    CHECK(days["2026-12-24"] ==
          Json{{"working", true}, {"description", nullptr}, {"reason", "STUDIO_WORK_WEEK"}});
    CHECK(days["2026-12-25"] ==
          Json{{"working", false}, {"description", "Holiday"}, {"reason", "STUDIO_EXCEPTION"}});
    CHECK(days["2026-12-26"]["working"] == false);  // a Saturday
    params["user"] = link("HumanUser", 1);
    CHECK(s.ask("work_schedule_read", params)["2026-12-26"]["reason"] == "USER_EXCEPTION");
    s.refusal("work_schedule_read", {{"start_date", "24.12.2026"}, {"end_date", "2026-12-26"}});
    s.refusal("work_schedule_update", {{"date", "2026-12-25"},
                                       {"working", true},
                                       {"project", link("Project", 1)},
                                       {"user", link("HumanUser", 1)}});
}

TEST_CASE("a note's thread is the note, its attachments and its replies as they came") {
    Studio s;
    const sandbox::Caller rhea{.user = {"HumanUser", 1}}, ravi{.user = {"HumanUser", 2}};
    const auto note = s.site.create(
        rhea, "Note",
        {{"subject", "On sh010"}, {"content", "Darker please"}, {"project", link("Project", 1)}});
    s.site.shift_clock(std::chrono::seconds(5));
    s.site.create(ravi, "Reply",
                  {{"content", "Done"}, {"entity", link("Note", note)}, {"user", link("HumanUser", 2)}});
    const auto thread =
        s.ask("note_thread_contents", {{"note_id", note}, {"entity_fields", {{"Note", {"subject"}}}}});
    REQUIRE(thread.size() == 2);
    CHECK(thread[0]["content"] == "Darker please");
    CHECK(thread[0]["subject"] == "On sh010");
    CHECK(thread[0]["created_at"] == "2026-03-04 00:00:00 UTC");
    CHECK(thread[0]["created_by"]["name"] == "Rhea Voss");
    CHECK(thread[1]["content"] == "Done");
    CHECK(thread[1]["user"]["valid"] == "valid");
    s.refusal("note_thread_contents", {{"note_id", 99}, {"entity_fields", object()}}, 104);
}

TEST_CASE("an activity stream tells of a row and what hangs on it, the newest first") {
    Studio s;
    const sandbox::Caller rhea{.user = {"HumanUser", 1}};
    s.site.update(rhea, "Shot", 1, {{"description", "wide"}});
    const auto version = s.site.create(
        rhea, "Version", {{"code", "v1"}, {"project", link("Project", 1)}, {"entity", link("Shot", 1)}});
    Json params{{"type", "Shot"},    {"id", 1},          {"max_id", nullptr},
                {"min_id", nullptr}, {"limit", nullptr}, {"entity_fields", {{"Version", {"code"}}}}};
    const auto got = s.ask("activity_stream", params);
    CHECK(got.size() == 5);
    REQUIRE(got["updates"].size() == 3);  // the studio set the sequence before
    CHECK(got["updates"][0]["update_type"] == "create");
    CHECK(got["updates"][0]["primary_entity"]["id"] == version);
    CHECK(got["updates"][0]["primary_entity"]["code"] == "v1");
    CHECK(got["updates"][0]["created_by"]["name"] == "Rhea Voss");
    CHECK(got["updates"][1]["update_type"] == "update");
    CHECK(got["latest_update_id"] == got["updates"][0]["id"]);
    params["max_id"] = got["updates"][0]["id"];
    CHECK(s.ask("activity_stream", params)["updates"].size() == 2);
    params["min_id"] = got["updates"][1]["id"];
    CHECK(s.ask("activity_stream", params)["updates"].empty());
}

TEST_CASE("preferences, subscriptions, last access and pages answer as a site does") {
    Studio s;
    CHECK(s.ask("preferences_read", {{"prefs", {"hours_per_day", "no such"}}}) ==
          Json{{"hours_per_day", 8.0}});
    CHECK(s.ask("preferences_read", {{"prefs", Json::array()}}).size() > 10);
    CHECK(s.ask("user_subscriptions_create",
                {{"users", {{{"humanUserId", 1}, {"subscription", {"basic"}}}}}}) ==
          Json{{"status", "success"}});
    CHECK(s.ask("user_subscriptions_read", object())[0] ==
          Json{{"humanUserId", 1}, {"subscription", {"basic"}}});
    const auto events = s.site.event_count();
    CHECK(s.ask("update_project_last_accessed_by_current_user", {{"project_id", 1}, {"user_id", 1}}) ==
          link("Project", 1));
    CHECK(s.site.event_count() == events);
    CHECK(s.site.value("Project", 1, "last_accessed_by_current_user") == "2026-03-04T00:00:00Z");
    CHECK(s.refusal("export_page", {{"page_id", 1}}) == "API export_page() 'format' missing");
    CHECK(s.refusal("export_page", {{"format", "csv"}}) == "API export_page() 'page_id' missing");
    CHECK(s.refusal("export_page", {{"format", "csv"}, {"page_id", 3074}}) ==
          "API export_page() Export for Page id=3074 not available");
}

}  // namespace methods_test
