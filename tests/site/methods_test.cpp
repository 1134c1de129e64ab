// Every method of the protocol: from what a plugin writes to the body that leaves, and from the site's answer
// to what the plugin gets. Requests and answers are the protocol's own examples, compared as JSON text with
// sorted keys.

#include "catch.hpp"
#include "plugin_site.hpp"
#include "site/named_file_calls.hpp"

namespace methods_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const EntityRef project{"Project", 70, "Demo"}, shot{"Shot", 862, "sh010"}, user{"HumanUser", 42, "Ravi"};

struct Row {
    const char* name;
    json (*call)(Site&);
    const char* method;
    const char* request;  ///< null: no second element
    const char* answer;   ///< of `results`
    const char* result;   ///< null: the answer itself
};

// Long lines are what the protocol shows.
const Row table[] = {
    {"find",
     [](Site& s) {
         FindOptions options;
         options.order = json::array({json{{"field_name", "id"}, {"direction", "asc"}}});
         options.additional_filter_presets =
             json::array({json{{"preset_name", "LATEST"}, {"latest_by", "ENTITIES_CREATED_AT"}}});
         options.include_archived_projects = false;
         options.page = 1;
         return s.find("Task", field("project").is(project),
                       {"content", "sg_status_list", "entity", "entity.Shot.code"}, options);
     },
     "read",
     R"({"type": "Task", "return_fields": ["content", "sg_status_list", "entity", "entity.Shot.code"],
         "filters": {"logical_operator": "and", "conditions": [
             {"path": "project", "relation": "is", "values": [{"type": "Project", "id": 70}]}]},
         "return_only": "active", "paging": {"entities_per_page": 500, "current_page": 1},
         "additional_filter_presets": [{"preset_name": "LATEST", "latest_by": "ENTITIES_CREATED_AT"}],
         "include_archived_projects": false, "sorts": [{"field_name": "id", "direction": "asc"}],
         "api_return_image_urls": true, "return_paging_info_without_counts": false})",
     R"({"entities": [{"type": "Task", "id": 501, "content": "Comp", "sg_status_list": "ip",
         "entity": {"type": "Shot", "id": 862, "name": "sh010"}, "entity.Shot.code": "sh010"}],
         "paging_info": {"current_page": 1, "page_count": 1, "entity_count": 1, "entities_per_page": 500}})",
     R"([{"type": "Task", "id": 501, "content": "Comp", "sg_status_list": "ip",
         "entity": {"type": "Shot", "id": 862, "name": "sh010"}, "entity.Shot.code": "sh010"}])"},
    {"find_one",
     [](Site& s) {
         return s.find_one("Shot", {"id", "is", 862});
     },
     "read",
     R"({"type": "Shot", "return_fields": ["id"], "filters": {"logical_operator": "and", "conditions": [
             {"path": "id", "relation": "is", "values": [862]}]},
         "return_only": "active", "paging": {"entities_per_page": 1, "current_page": 1},
         "api_return_image_urls": true, "return_paging_info_without_counts": false})",
     R"({"entities": [{"type": "Shot", "id": 862}]})", R"({"type": "Shot", "id": 862})"},
    {"create",
     [](Site& s) {
         return s.create(
             "Shot", {{"assets", links({{"Asset", 12, "tree"}})}, {"code", "sh020"}, {"project", project}},
             {"id", "created_at"});
     },
     "create",
     R"({"type": "Shot", "fields": [{"field_name": "assets", "value": [{"type": "Asset", "id": 12}]},
             {"field_name": "code", "value": "sh020"},
             {"field_name": "project", "value": {"type": "Project", "id": 70}}],
         "return_fields": ["id", "created_at"]})",
     R"({"type": "Shot", "id": 863, "code": "sh020", "project": {"type": "Project", "id": 70, "name": "Demo"},
         "assets": [{"type": "Asset", "id": 12, "name": "tree"}], "created_at": "2026-03-04T05:06:07Z"})",
     nullptr},
    {"update",
     [](Site& s) {
         return s.update("Shot", 863, {{"assets", links({{"Asset", 13, ""}})}, {"sg_status_list", "ip"}},
                         {{"assets", UpdateMode::add}});
     },
     "update",
     R"({"type": "Shot", "id": 863, "fields": [
            {"field_name": "assets", "value": [{"type": "Asset", "id": 13}], "multi_entity_update_mode": "add"},
            {"field_name": "sg_status_list", "value": "ip"}]})",
     R"({"type": "Shot", "id": 863, "sg_status_list": "ip",
         "assets": [{"type": "Asset", "id": 12, "name": "tree"}, {"type": "Asset", "id": 13, "name": "rock"}]})",
     nullptr},
    {"delete", [](Site& s) { return json(s.remove("Shot", 863)); }, "delete",
     R"({"type": "Shot", "id": 863})", "true", nullptr},
    {"revive", [](Site& s) { return json(s.revive("Shot", 863)); }, "revive",
     R"({"type": "Shot", "id": 863})", "false", nullptr},
    {"batch",
     [](Site& s) {
         Batch batch;
         batch.create("Shot", {{"code", "a"}})
             .update({"Shot", 863, ""}, {{"assets", json::array()}}, {{"assets", UpdateMode::set}})
             .remove({"Shot", 840, ""});
         return s.batch(batch);
     },
     "batch",
     R"([{"request_type": "create", "type": "Shot", "fields": [{"field_name": "code", "value": "a"}], "return_fields": ["id"]},
         {"request_type": "update", "type": "Shot", "id": 863,
          "fields": [{"field_name": "assets", "value": [], "multi_entity_update_mode": "set"}]},
         {"request_type": "delete", "type": "Shot", "id": 840}])",
     R"([{"type": "Shot", "id": 864, "code": "a"}, {"type": "Shot", "id": 863, "assets": []}, true])",
     nullptr},
    {"summarize",
     [](Site& s) {
         return s.summarize("Task", {}, {{"id", "count"}, {"due_date", "latest"}},
                            {{{"entity"}, {"step"}}, false});
     },
     "summarize",
     R"({"type": "Task", "summaries": [{"field": "id", "type": "count"}, {"field": "due_date", "type": "latest"}],
         "filters": {"logical_operator": "and", "conditions": []}, "include_archived_projects": false,
         "grouping": [{"field": "entity", "type": "exact", "direction": "asc"},
                      {"field": "step", "type": "exact", "direction": "asc"}]})",
     R"({"groups": [{"group_name": "sh010",
          "group_value": {"type": "Shot", "id": 862, "name": "sh010", "valid": "valid"},
          "groups": [{"group_name": "Comp", "group_value": {"type": "Step", "id": 8, "name": "Comp", "valid": "valid"},
                      "summaries": {"id": 1, "due_date": "2026-03-04"}}],
          "summaries": {"id": 1, "due_date": "2026-03-04"}}],
         "summaries": {"id": 1, "due_date": "2026-03-04"}})",
     nullptr},
    {"text_search",
     [](Site& s) {
         return s.text_search("bunny", {{"Asset", field("sg_asset_type").is("Character")}, {"Task", {}}},
                              {{70}, 5});
     },
     "query_display_name_cache",
     R"({"text": "bunny", "project_ids": [70], "max_results": 5,
         "entity_types": {"Asset": {"logical_operator": "and", "conditions": [
             {"path": "sg_asset_type", "relation": "is", "values": ["Character"]}]},
             "Task": {"logical_operator": "and", "conditions": []}}})",
     R"({"matches": [{"type": "Asset", "id": 734, "name": "Bunny", "project_id": 70,
          "image": "https://storage.example.com/t.jpg", "links": ["", ""], "status": "fin"}], "terms": ["bunny"]})",
     nullptr},
    {"nav_expand", [](Site& s) { return s.nav_expand("/Project/70", "PublishedFile.entity"); }, "nav_expand",
     R"({"path": "/Project/70", "seed_entity_field": "PublishedFile.entity", "entity_fields": null})",
     R"({"label": "Demo", "path": "/Project/70", "parent_path": "/", "has_children": true,
         "ref": {"kind": "entity", "value": {"type": "Project", "id": 70}}, "children": []})",
     nullptr},
    {"nav_search_string", [](Site& s) { return s.nav_search_string("/Project/70", "bunny"); }, "nav_search",
     R"({"root_path": "/Project/70", "seed_entity_field": null, "search_criteria": {"search_string": "bunny"}})",
     R"([{"label": "sh010", "path_label": "Shots > seq01", "project_id": 70, "ref": {"type": "Shot", "id": 862}}])",
     nullptr},
    {"nav_search_entity",
     [](Site& s) {
         return s.nav_search_entity("/Project/70", {"Asset", 734, "Bunny"});
     },
     "nav_search",
     R"({"root_path": "/Project/70", "seed_entity_field": null,
         "search_criteria": {"entity": {"type": "Asset", "id": 734}}})",
     R"([{"label": "sh010", "incremental_path": ["/Project/70", "/Project/70/Shot"]}])", nullptr},
    {"activity_stream_read",
     [](Site& s) {
         ActivityOptions options;
         options.limit = 25;
         options.fields = {{"Shot", {"sg_sequence"}}};
         return s.activity_stream_read(shot, options);
     },
     "activity_stream",
     R"({"type": "Shot", "id": 862, "max_id": null, "min_id": null, "limit": 25,
         "entity_fields": {"Shot": ["sg_sequence"]}})",
     R"({"entity_type": "Shot", "entity_id": 862, "earliest_update_id": 50, "latest_update_id": 79,
         "updates": [{"id": 79, "update_type": "create", "read": false, "created_at": "2026-03-04 05:06:07 UTC",
            "created_by": {"type": "HumanUser", "id": 38, "name": "Rhea", "status": "act", "image": "6641"},
            "meta": {"type": "new_entity", "entity_type": "Version", "entity_id": 6004}}]})",
     nullptr},
    {"note_thread_read",
     [](Site& s) {
         return s.note_thread_read(
             6013, {{"Note", {"addressings_to"}}, {"Reply", {"content"}}, {"Attachment", {"this_file"}}});
     },
     "note_thread_contents",
     R"({"note_id": 6013, "entity_fields": {"Note": ["addressings_to"], "Reply": ["content"], "Attachment": ["this_file"]}})",
     R"([{"type": "Note", "id": 6013, "content": "Darker please", "created_at": "2026-03-04 05:06:07 UTC"},
         {"type": "Reply", "id": 5, "content": "Done", "created_at": "2026-03-04 06:00:00 UTC"}])",
     nullptr},
    {"follow", [](Site& s) { return s.follow(user, shot); }, "follow",
     R"({"user": {"type": "HumanUser", "id": 42}, "entity": {"type": "Shot", "id": 862}})",
     R"({"followed": true, "user": {"type": "HumanUser", "id": 42}, "entity": {"type": "Shot", "id": 862}})",
     nullptr},
    {"unfollow", [](Site& s) { return s.unfollow(user, shot); }, "unfollow",
     R"({"user": {"type": "HumanUser", "id": 42}, "entity": {"type": "Shot", "id": 862}})",
     R"({"unfollowed": true, "user": {"type": "HumanUser", "id": 42}, "entity": {"type": "Shot", "id": 862}})",
     nullptr},
    {"followers", [](Site& s) { return json(s.followers(shot)); }, "followers",
     R"({"entity": {"type": "Shot", "id": 862}})",
     R"([{"type": "HumanUser", "id": 42, "name": "Ravi", "status": "act", "valid": "valid"}])",
     R"([{"type": "HumanUser", "id": 42}])"},
    {"following", [](Site& s) { return json(s.following(user, project, "Task")); }, "following",
     R"({"user": {"type": "HumanUser", "id": 42}, "project": {"type": "Project", "id": 70}, "entity_type": "Task"})",
     R"([{"type": "Task", "id": 1}])", nullptr},
    {"work_schedule_read", [](Site& s) { return s.work_schedule_read(2026y / 12 / 24, 2026y / 12 / 25); },
     "work_schedule_read",
     R"({"start_date": "2026-12-24", "end_date": "2026-12-25", "project": null, "user": null})",
     R"({"2026-12-24": {"working": true, "description": null, "reason": "STUDIO_WORK_WEEK"},
         "2026-12-25": {"working": false, "description": "Holiday", "reason": "STUDIO_EXCEPTION"}})",
     nullptr},
    {"work_schedule_update",
     [](Site& s) {
         WorkScheduleChange change;
         change.date = 2026y / 12 / 31;
         change.working = false;
         change.description = "Closed";
         return s.work_schedule_update(change);
     },
     "work_schedule_update",
     R"({"date": "2026-12-31", "working": false, "description": "Closed", "project": null, "user": null,
         "recalculate_field": null})",
     R"({"date": "2026-12-31", "working": false, "description": "Closed", "project": null, "user": null})",
     nullptr},
    {"schema_read", [](Site& s) { return s.schema_read(); }, "schema_read", nullptr,
     R"({"Shot": {"code": {}}})", nullptr},
    {"schema_entity_read", [](Site& s) { return s.schema_entity_read(project); }, "schema_entity_read",
     R"({"project": {"type": "Project", "id": 70}})",
     R"({"Shot": {"name": {"value": "Shot", "editable": false}, "visible": {"value": true, "editable": false}}})",
     nullptr},
    {"schema_field_read", [](Site& s) { return s.schema_field_read("Shot", "sg_status_list"); },
     "schema_field_read", R"({"type": "Shot", "field_name": "sg_status_list"})",
     R"({"sg_status_list": {"data_type": {"value": "status_list", "editable": false}}})", nullptr},
    {"schema_field_create",
     [](Site& s) {
         return json(s.schema_field_create("Asset", "text", "Complexity", {{"description", "how hard"}}));
     },
     "schema_field_create",
     R"({"type": "Asset", "data_type": "text", "properties": [{"property_name": "name", "value": "Complexity"},
         {"property_name": "description", "value": "how hard"}]})",
     R"("sg_complexity")", nullptr},
    {"schema_field_update",
     [](Site& s) {
         return json(s.schema_field_update("Asset", "sg_complexity", {{"name", "Effort"}}));
     },
     "schema_field_update",
     R"({"type": "Asset", "field_name": "sg_complexity", "properties": [{"property_name": "name", "value": "Effort"}]})",
     "true", nullptr},
    {"schema_field_delete", [](Site& s) { return json(s.schema_field_delete("Asset", "sg_complexity")); },
     "schema_field_delete", R"({"type": "Asset", "field_name": "sg_complexity"})", "true", nullptr},
    {"preferences_read",
     [](Site& s) {
         return s.preferences_read({"hours_per_day", "date_component_order"});
     },
     "preferences_read", R"({"prefs": ["hours_per_day", "date_component_order"]})",
     R"({"hours_per_day": 8.0, "date_component_order": "month_day"})", nullptr},
    {"get_session_token", [](Site& s) { return json(s.get_session_token()); }, "get_session_token", nullptr,
     R"({"session_id": "dd63550a"})", R"("dd63550a")"},
    {"authenticate_human_user", [](Site& s) { return s.authenticate_human_user("rhea", "s3cret", "492817"); },
     "read",
     R"({"type": "HumanUser", "return_fields": ["id", "login"],
         "filters": {"logical_operator": "and", "conditions": [
             {"path": "sg_status_list", "relation": "is", "values": ["act"]},
             {"path": "login", "relation": "is", "values": ["rhea"]}]},
         "return_only": "active", "paging": {"entities_per_page": 1, "current_page": 1},
         "api_return_image_urls": true, "return_paging_info_without_counts": false})",
     R"({"entities": [{"type": "HumanUser", "id": 42, "login": "rhea"}]})",
     R"({"type": "HumanUser", "id": 42, "login": "rhea"})"},
    {"update_project_last_accessed", [](Site& s) { return s.update_project_last_accessed(project, user); },
     "update_project_last_accessed_by_current_user", R"({"project_id": 70, "user_id": 42})",
     R"({"type": "Project", "id": 70})", nullptr},
    {"user_subscriptions_read", [](Site& s) { return s.user_subscriptions_read(); },
     "user_subscriptions_read", nullptr, R"([{"humanUserId": 42, "subscription": "basic"}])", nullptr},
    {"user_subscriptions_create",
     [](Site& s) {
         return json(
             s.user_subscriptions_create(json::parse(R"([{"humanUserId": 42, "subscription": ["basic"]}])")));
     },
     "user_subscriptions_create", R"({"users": [{"humanUserId": 42, "subscription": ["basic"]}]})",
     R"({"status": "success"})", "true"},
};

}  // namespace

TEST_CASE("each method sends what the protocol shows and understands the answer it shows") {
    for (const auto& row : table) {
        DYNAMIC_SECTION(row.name) {
            VersionedSite site(results(json::parse(row.answer)));
            PluginSite plugin(*site.client);
            CHECK(row.call(plugin).dump() == json::parse(row.result ? row.result : row.answer).dump());
            const auto calls = site.calls();
            REQUIRE(calls.size() == 1);
            auto sent = calls[0].json();
            CHECK(sent["method_name"] == row.method);
            REQUIRE(sent["params"].size() == (row.request == nullptr ? 1 : 2));
            if (row.request != nullptr) CHECK(sent["params"][1].dump() == json::parse(row.request).dump());
        }
    }
}

TEST_CASE("filters made of C++ leave in the form the protocol shows, from plugins and from the daemon") {
    const Filter filter =
        all_of{field("sg_status_list").in({"ip", "rev"}), field("entity.Shot.code").starts_with("sh0"),
               any_of{field("due_date").in_next(2, TimeUnit::week), field("due_date").is(nullptr)}};
    const auto shown = json::parse(R"({"logical_operator": "and", "conditions": [
        {"path": "sg_status_list", "relation": "in", "values": ["ip", "rev"]},
        {"path": "entity.Shot.code", "relation": "starts_with", "values": ["sh0"]},
        {"logical_operator": "or", "conditions": [
            {"path": "due_date", "relation": "in_next", "values": [2, "WEEK"]},
            {"path": "due_date", "relation": "is", "values": [null]}]}]})");
    VersionedSite site(rows(json::array()));
    PluginSite(*site.client).find("Task", filter);
    site::FindRequest request;
    request.query.type = "Task";
    request.query.filters = filter;
    REQUIRE(site.client->find(request, as("relay")));
    request.query.filters = field("code").is("x");
    REQUIRE(site.client->find(request, as("relay")));
    const auto sent = site.calls();
    REQUIRE(sent.size() == 3);
    // A group by itself is a list of one.
    const json in_list{{"logical_operator", "and"}, {"conditions", json::array({shown})}};
    CHECK(sent[0].parameters()["filters"].dump() == in_list.dump());
    CHECK(sent[1].parameters()["filters"].dump() == in_list.dump());
    CHECK(sent[2].parameters()["filters"]["conditions"].size() == 1);
}

TEST_CASE("each name in the daemon's table of calls is compared with the protocol") {
    for (const auto name : site::site_method_names()) {
        if (name == "info" || name == "export_page") continue;              // have tests of their own
        if (name == "share_thumbnail" || site::moves_file(name)) continue;  // are not of the JSON API
        const bool compared =
            std::any_of(std::begin(table), std::end(table), [&](const Row& row) { return row.name == name; });
        INFO(name);
        CHECK(compared);
    }
}

}  // namespace methods_test
