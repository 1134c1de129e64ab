// Writes, and the event rows they leave.
#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace writes_test {

using namespace sg;
using namespace sg::test;

namespace {

Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }

Json write_of(const std::string& type, const Json& fields, std::int64_t id = 0) {
    Json out{{"type", type}, {"fields", Json::array()}};
    if (id != 0) out["id"] = id;
    for (const auto& [name, value] : fields.items())
        out["fields"].push_back({{"field_name", name}, {"value", value}});
    return out;
}

/// A project with two shots and a task, put there without events.
struct Studio {
    Studio() {
        project = site.add("Project", {{"name", "Aurora"}});
        first = site.add("Shot", {{"code", "sh010"}, {"project", link("Project", project)}});
        second = site.add("Shot", {{"code", "sh020"}, {"project", link("Project", project)}});
        task = site.add(
            "Task",
            {{"content", "Comp"}, {"project", link("Project", project)}, {"entity", link("Shot", first)}});
    }
    Json events() {
        return client.rows(
            "EventLogEntry", {},
            {"event_type", "attribute_name", "meta", "entity", "user", "project", "session_uuid"});
    }
    sandbox::Site site;
    RawClient client{site.url()};
    std::int64_t project = 0, first = 0, second = 0, task = 0;
};

}  // namespace

TEST_CASE("info needs no credentials and is not wrapped") {
    sandbox::Site site;
    RawClient client(site.url());
    const auto answer = client.post("/api3/json", R"({"method_name":"info","params":[]})");
    CHECK(answer.status == 200);
    CHECK(answer.json()["version"] == Json{8, 62, 0});
    CHECK(answer.headers.at("content-type") == "application/json; charset=utf-8");
}

TEST_CASE("wrong or missing credentials are the fault 102, with status 200") {
    Studio s;
    const Json read{{"type", "Shot"}};
    const auto refused = [&](const Json& auth, const std::string& text) {
        const auto answer = s.client.call("read", read, auth);
        CHECK(answer.status == 200);
        CHECK(answer.json() == Json{{"exception", true}, {"error_code", 102}, {"message", text}});
    };
    refused({{"script_name", "sandbox"}, {"script_key", "wrong"}}, "Can't authenticate script 'sandbox'");
    refused({{"script_name", "nobody"}, {"script_key", "sandbox-key"}}, "Can't authenticate script 'nobody'");
    refused({{"user_login", "rhea"}, {"user_password", ""}}, "Can't authenticate user 'rhea'.");
    refused({{"session_token", "0123456789abcd"}}, "Can't authenticate session token ending with 'abcd'");
    refused(Json::object(), "Missing or invalid authentication arguments");
    s.site.add_person("Rhea Voss", "rhea", "pass");
    CHECK(s.client.call("read", read, {{"user_login", "rhea"}, {"user_password", "pass"}})
              .json()
              .contains("results"));
}

TEST_CASE("an update answers the changed fields and leaves one row that tells of it") {
    Studio s;
    const auto answer =
        s.client.call("update", write_of("Task", {{"sg_status_list", "ip"}}, s.task),
                      {{"script_name", "sandbox"}, {"script_key", "sandbox-key"}, {"session_uuid", "u-7"}});
    CHECK(answer.json()["results"] == Json{{"type", "Task"}, {"id", s.task}, {"sg_status_list", "ip"}});
    const auto rows = s.events();
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["event_type"] == "Shotgun_Task_Change");
    CHECK(rows[0]["attribute_name"] == "sg_status_list");
    CHECK(rows[0]["entity"] == Json{{"type", "Task"}, {"id", s.task}, {"name", "Comp"}});
    CHECK(rows[0]["project"] == Json{{"type", "Project"}, {"id", s.project}, {"name", "Aurora"}});
    CHECK(rows[0]["user"]["type"] == "ApiUser");
    CHECK(rows[0]["user"]["name"] == "sandbox");
    CHECK(rows[0]["session_uuid"] == "u-7");
    CHECK(rows[0]["meta"] == Json{{"type", "attribute_change"},
                                  {"attribute_name", "sg_status_list"},
                                  {"entity_type", "Task"},
                                  {"entity_id", s.task},
                                  {"field_data_type", "status_list"},
                                  {"old_value", "wtg"},
                                  {"new_value", "ip"}});
}

TEST_CASE("writing what is there already leaves no row") {
    Studio s;
    s.client.results("update", write_of("Task", {{"sg_status_list", "wtg"}}, s.task));
    CHECK(s.events().empty());
}

TEST_CASE("a create leaves a change per field, defaults included, and then New") {
    Studio s;
    const auto made = s.client.results(
        "create", write_of("Shot", {{"code", " sh030 "}, {"project", link("Project", s.project)}}));
    CHECK(made["code"] == "sh030");
    CHECK(made["project"]["name"] == "Aurora");
    const auto rows = s.events();
    REQUIRE(rows.size() == 4);  // code, project, sg_status_list by default, New
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(rows[i]["event_type"] == "Shotgun_Shot_Change");
        CHECK(rows[i]["meta"]["in_create"] == true);
        CHECK(rows[i]["meta"]["old_value"].is_null());
    }
    CHECK(rows[3]["event_type"] == "Shotgun_Shot_New");
    CHECK(rows[3]["attribute_name"].is_null());
    CHECK(rows[3]["meta"] ==
          Json{{"type", "new_entity"}, {"entity_type", "Shot"}, {"entity_id", made["id"]}});
}

TEST_CASE("a link that moves tells the target it left and the one it came to") {
    Studio s;
    s.client.results("update", write_of("Task", {{"entity", link("Shot", s.second)}}, s.task));
    const auto rows = s.events();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0]["meta"]["old_value"]["name"] == "sh010");
    CHECK(rows[0]["meta"]["new_value"]["valid"] == "valid");
    CHECK(rows[1]["event_type"] == "Shotgun_Shot_Change");
    CHECK(rows[1]["attribute_name"] == "tasks");
    CHECK(rows[1]["entity"]["id"] == s.first);
    CHECK(rows[1]["meta"]["actual_attribute_changed"] == "Task.entity");
    CHECK(rows[1]["meta"]["original_event_log_entry_id"] == rows[0]["id"]);
    CHECK(rows[1]["meta"]["entity_id"] == s.task);
    CHECK(rows[1]["meta"]["removed"][0]["id"] == s.task);
    CHECK(rows[1]["meta"]["added"].empty());
    CHECK(rows[2]["entity"]["id"] == s.second);
    CHECK(rows[2]["meta"]["added"][0]["name"] == "Comp");
    CHECK(s.client.rows("Shot", {condition("id", "is", s.second)}, {"tasks"})[0]["tasks"].size() == 1);
    CHECK(s.client.rows("Shot", {condition("id", "is", s.first)}, {"tasks"})[0]["tasks"].empty());
}

TEST_CASE("a multi link is set, added to and taken from, and its rows say what came and went") {
    Studio s;
    const auto asset = [&](const std::string& code) {
        return link("Asset", s.site.add("Asset", {{"code", code}, {"project", link("Project", s.project)}}));
    };
    const Json tree = asset("tree"), rock = asset("rock");
    const auto update = [&](const Json& value, const std::string& mode) {
        auto params = write_of("Shot", {{"assets", value}}, s.first);
        params["fields"][0]["multi_entity_update_mode"] = mode;
        return s.client.results("update", params)["assets"].size();
    };
    CHECK(update(Json::array({tree}), "set") == 1);
    CHECK(update({tree, rock}, "add") == 2);
    CHECK(update(Json::array({tree}), "remove") == 1);
    const auto rows =
        s.client.rows("EventLogEntry", {condition("event_type", "is", "Shotgun_Shot_Change")}, {"meta"});
    REQUIRE(rows.size() == 3);
    CHECK(rows[1]["meta"]["added"][0]["name"] == "rock");
    CHECK_FALSE(rows[1]["meta"].contains("new_value"));
    CHECK(rows[2]["meta"]["removed"][0]["name"] == "tree");
    CHECK(rows[2]["meta"]["added"].empty());
}

TEST_CASE("a retired row is gone from reads and links, its old events show no entity, and it comes back") {
    Studio s;
    s.client.results("update", write_of("Task", {{"sg_status_list", "ip"}}, s.task));
    CHECK(s.client.results("delete", link("Task", s.task)) == true);
    CHECK(s.client.results("delete", link("Task", s.task)) == false);
    CHECK(s.client.rows("Task", {}, {"id"}).empty());
    CHECK(s.client.rows("Task", {}, {"id"}, {{"return_only", "retired"}}).size() == 1);
    CHECK(s.client.rows("Shot", {condition("id", "is", s.first)}, {"tasks"})[0]["tasks"].empty());
    auto rows = s.events();
    REQUIRE(rows.size() == 3);
    for (const auto& row : rows) CHECK(row["entity"].is_null());
    CHECK(rows[1]["event_type"] == "Shotgun_Task_Retirement");
    CHECK(rows[1]["meta"]["display_name"] == "Comp");
    CHECK(rows[2]["attribute_name"] == "retirement_date");
    CHECK(rows[1]["meta"]["retirement_date"] == rows[2]["meta"]["new_value"]);
    CHECK(s.client.results("revive", link("Task", s.task)) == true);
    rows = s.events();
    CHECK(rows[0]["entity"]["id"] == s.task);
    CHECK(rows.back()["event_type"] == "Shotgun_Task_Revival");
    CHECK(s.client.results("delete", link("Task", 999))["error_code"] == 104);
}

TEST_CASE("a deleted shot takes its tasks and versions along") {
    Studio s;
    s.site.add("Version",
               {{"code", "v1"}, {"project", link("Project", s.project)}, {"entity", link("Shot", s.first)}});
    CHECK(s.client.results("delete", link("Shot", s.first)) == true);
    CHECK(s.client.rows("Task", {}, {"id"}).empty());
    CHECK(s.client.rows("Version", {}, {"id"}).empty());
    CHECK(s.client.rows("Shot", {}, {"id"}).size() == 1);
}

TEST_CASE("a script whose events are off changes the site in silence") {
    Studio s;
    s.site.add_script("mute", "k", false);
    s.client.call("update", write_of("Task", {{"sg_status_list", "fin"}}, s.task),
                  {{"script_name", "mute"}, {"script_key", "k"}});
    CHECK(s.site.value("Task", s.task, "sg_status_list") == "fin");
    CHECK(s.events().empty());
}

TEST_CASE("a write on somebody's behalf is theirs, and names the script") {
    Studio s;
    s.site.add_person("Rhea Voss", "rhea");
    const auto answer =
        s.client.call("update", write_of("Task", {{"sg_status_list", "fin"}}, s.task),
                      {{"script_name", "sandbox"}, {"script_key", "sandbox-key"}, {"sudo_as_login", "rhea"}});
    REQUIRE(answer.json().contains("results"));
    const auto rows = s.events();
    CHECK(rows[0]["user"]["name"] == "Rhea Voss");
    CHECK(rows[0]["meta"]["sudo_actual_user"]["type"] == "ApiUser");
}

TEST_CASE("a refused write names what is wrong and changes nothing") {
    Studio s;
    const auto refused = [&](const std::string& method, const Json& params, int code) {
        const auto fault = s.client.results(method, params);
        INFO(fault.dump());
        CHECK(fault["exception"] == true);
        CHECK(fault["error_code"] == code);
    };
    const Json project = link("Project", s.project);
    refused("create", write_of("Shot", {{"code", "x"}}), 103);
    refused("create", write_of("Shot", {{"code", 5}, {"project", project}}), 103);
    refused("create", write_of("Shot", {{"nope", "x"}, {"project", project}}), 103);
    refused("create", write_of("Elephant", {{"code", "x"}}), 103);
    refused("create", write_of("Project", {{"name", "Aurora"}}), 104);
    refused("update", write_of("Task", {{"content", "New"}, {"sg_status_list", "bogus"}}, s.task), 104);
    refused("update", write_of("Task", {{"content", "New"}, {"entity", link("Shot", 999)}}, s.task), 104);
    refused("update", write_of("Task", {{"entity", link("Project", s.project)}}, s.task), 104);
    refused("update", write_of("Task", {{"milestone", nullptr}}, s.task), 103);
    refused("update", write_of("Task", {{"duration", 3'000'000'000}}, s.task), 104);
    refused("update", write_of("Task", {{"due_date", "2026-02-30"}}, s.task), 103);
    refused("update", write_of("Task", {{"created_at", "2026-03-04T05:06:07Z"}}, s.task), 103);
    refused("update", write_of("Shot", {{"tasks", Json::array()}}, s.first), 103);
    refused("update", write_of("Task", {{"content", "x"}}, 999), 104);
    refused("update", write_of("EventLogEntry", {{"description", "x"}}, 1), 104);
    refused("forget_everything", {{"type", "Shot"}}, 103);
    CHECK(s.site.value("Task", s.task, "content") == "Comp");
    CHECK(s.events().empty());
}

TEST_CASE("a tool may write an event of its own") {
    Studio s;
    const auto made =
        s.client.results("create", write_of("EventLogEntry", {{"event_type", "Toolkit_App_Startup"},
                                                              {"meta", {{"core", "v0.22"}}},
                                                              {"project", link("Project", s.project)},
                                                              {"description", "started"}}));
    const auto rows = s.events();
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["id"] == made["id"]);
    CHECK(rows[0]["event_type"] == "Toolkit_App_Startup");
    CHECK(rows[0]["meta"]["core"] == "v0.22");
    CHECK(rows[0]["user"]["name"] == "sandbox");
}

}  // namespace writes_test
