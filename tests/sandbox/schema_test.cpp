// The schema: its file, what the methods say of it, and editing it.
#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace schema_test {

using namespace sg;
using namespace sg::test;

namespace {

Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }

struct Studio {
    Studio() { site.add("Project", {{"name", "Aurora"}}); }
    Json ask(const std::string& method, const Json& params) { return client.results(method, params); }
    Json edit(const std::string& method, Json params,
              const std::vector<std::pair<std::string, Json>>& properties) {
        for (const auto& [name, value] : properties)
            params["properties"].push_back({{"property_name", name}, {"value", value}});
        return ask(method, params);
    }
    Json create(const std::string& type, const std::string& data_type,
                const std::vector<std::pair<std::string, Json>>& properties) {
        return edit("schema_field_create", {{"type", type}, {"data_type", data_type}}, properties);
    }
    sandbox::Site site;
    RawClient client{site.url()};
};

bool refused(const Json& answer, int code = 103) {
    return answer.is_object() && answer.value("exception", false) && answer["error_code"] == code;
}

std::string trouble(const std::string& yaml) {
    try {
        static_cast<void>(sandbox::Schema::parse(yaml));
    } catch (const std::runtime_error& why) {
        return why.what();
    }
    return {};
}

}  // namespace

TEST_CASE("the built-in schema has a field of every data type, and its links lead somewhere") {
    std::map<sandbox::DataType, int> fields;
    for (const auto& [type, def] : sandbox::Schema::built_in().types())
        for (const auto& field : def.fields) {
            ++fields[field.type];
            for (const auto& target : field.targets) {
                INFO(type << "." << field.name << " to " << target);
                const auto* to = sandbox::Schema::built_in().find(target);
                REQUIRE(to != nullptr);
                if (const auto* back = to->field(field.back_reference))
                    CHECK(sandbox::holds_links(back->type));
            }
        }
    for (const auto type : sandbox::data_types()) {
        INFO(sandbox::name_of(type));
        CHECK(fields[type] > 0);
    }
}

TEST_CASE("a schema file that is wrong is refused with the line and the reason") {
    CHECK(trouble("entities: {Shot: {display: code, fields: {code: texture}}}")
              .find("there is no data type texture") != std::string::npos);
    CHECK(trouble("entities:\n  Shot:\n    display: code\n    colour: red\n").find("line 4") !=
          std::string::npos);
    CHECK(trouble("entities: {Shot: {display: code, fields: {name: text}}}").find("no field to display") !=
          std::string::npos);
    CHECK(trouble("entities: [").find("line") != std::string::npos);
    CHECK(trouble("entities: {}").find("there is no type Project") != std::string::npos);
}

TEST_CASE("the schema is read whole, by type and by field") {
    Studio s;
    const auto entities = s.ask("schema_entity_read", Json::object());
    CHECK(entities["Shot"] == Json{{"name", {{"value", "Shot"}, {"editable", false}}},
                                   {"visible", {{"value", true}, {"editable", false}}}});
    CHECK(entities["CustomEntity07"]["name"]["value"] == "Widget");
    const auto field =
        s.ask("schema_field_read", {{"type", "Shot"}, {"field_name", "sg_status_list"}})["sg_status_list"];
    CHECK(field["data_type"]["value"] == "status_list");
    CHECK(field["properties"].size() == 5);
    CHECK(field["properties"]["default_value"]["value"] == "wtg");
    CHECK(field["properties"]["display_values"]["value"]["ip"] == "In Progress");
    CHECK(field["visible"]["value"] == true);
    const auto all = s.ask("schema_read", Json::object());
    CHECK(all["Shot"]["sg_status_list"] == field);
    CHECK(all["Shot"] == s.ask("schema_field_read", {{"type", "Shot"}}));
    CHECK(all["Task"]["entity"]["properties"]["valid_types"]["value"][0] == "Shot");
    CHECK(refused(s.ask("schema_field_read", {{"type", "Shot"}, {"field_name", "nope"}})));
    CHECK(refused(s.ask("schema_field_read", {{"type", "Elephant"}})));
}

TEST_CASE("a new field is named after its label, can be used at once, and is told of in the log") {
    Studio s;
    CHECK(s.create("Shot", "text", {{"name", "Re-take No."}, {"description", "why"}}) == "sg_re_take_no_");
    CHECK(s.create("Shot", "text", {{"name", "Re take No."}}) == "sg_re_take_no__1");
    CHECK(s.create("Shot", "list",
                   {{"name", "Mood"}, {"valid_values", {"dark", "light"}}, {"default_value", "dark"}}) ==
          "sg_mood");
    CHECK(s.create("Shot", "entity", {{"name", "Lead"}, {"valid_types", {"HumanUser"}}}) == "sg_lead");
    const auto shot =
        s.site.add("Shot", {{"code", "a"}, {"project", link("Project", 1)}, {"sg_re_take_no_", "x"}});
    CHECK(s.site.value("Shot", shot, "sg_mood") == "dark");
    CHECK(s.client.rows("Shot", {condition("sg_re_take_no_", "is", "X")}, {"sg_mood"})[0]["sg_mood"] ==
          "dark");
    const auto rows = s.client.rows("EventLogEntry", {},
                                    {"event_type", "entity", "meta", "entity.DisplayColumn.entity_type"});
    REQUIRE(rows.size() == 4);
    CHECK(rows[0]["event_type"] == "Shotgun_DisplayColumn_New");
    CHECK(rows[0]["entity"]["type"] == "DisplayColumn");
    CHECK(rows[0]["entity"]["name"] == "sg_re_take_no_");
    CHECK(rows[0]["entity.DisplayColumn.entity_type"] == "Shot");
    CHECK(rows[0]["meta"]["entity_type"] == "DisplayColumn");
    CHECK(refused(s.create("Shot", "list", {{"name", "Choice"}})));
    CHECK(refused(s.create("Shot", "entity", {{"name", "Link"}})));
    CHECK(refused(s.create("Shot", "calculated", {{"name", "Sum"}})));
    CHECK(refused(s.create("Shot", "text", {{"description", "nameless"}})));
    CHECK(refused(s.create("EventLogEntry", "text", {{"name", "x"}})));
}

TEST_CASE("a field of one site is not known to another") {
    Studio s;
    sandbox::Site other;
    REQUIRE(s.create("Shot", "text", {{"name", "Mine"}}) == "sg_mine");
    RawClient client(other.url());
    CHECK(refused(client.results("schema_field_read", {{"type", "Shot"}, {"field_name", "sg_mine"}})));
}

TEST_CASE("a field is renamed, hidden in a project, deleted, and its name stays taken") {
    Studio s;
    REQUIRE(s.create("Asset", "text", {{"name", "Complexity"}}) == "sg_complexity");
    const Json field{{"type", "Asset"}, {"field_name", "sg_complexity"}};
    auto in_project = field;
    in_project["project"] = link("Project", 1);
    CHECK(s.edit("schema_field_update", field, {{"name", "Effort"}}) == true);
    CHECK(s.ask("schema_field_read", field)["sg_complexity"]["name"]["value"] == "Effort");
    const auto rows =
        s.client.rows("EventLogEntry", {condition("event_type", "is", "Shotgun_DisplayColumn_Change")},
                      {"attribute_name", "meta"});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["attribute_name"] == "human_name");
    CHECK(rows[0]["meta"]["new_value"] == "Effort");
    CHECK(refused(s.edit("schema_field_update", field, {{"visible", false}})));
    CHECK(s.edit("schema_field_update", in_project, {{"visible", false}}) == true);
    CHECK(s.ask("schema_field_read", in_project)["sg_complexity"]["visible"]["value"] == false);
    CHECK(s.ask("schema_field_read", field)["sg_complexity"]["visible"]["value"] == true);
    CHECK(refused(s.edit("schema_field_update", field, {{"valid_values", {"a"}}})));
    const auto asset =
        s.site.add("Asset", {{"code", "a"}, {"project", link("Project", 1)}, {"sg_complexity", "x"}});
    CHECK(s.ask("schema_field_delete", field) == true);
    CHECK(refused(s.ask("schema_field_read", field)));
    CHECK(refused(s.client.rows("Asset", {condition("sg_complexity", "is", "x")}, {"id"})));
    CHECK_FALSE(s.client.rows("Asset", {condition("id", "is", asset)}, {"sg_complexity"})[0].contains(
        "sg_complexity"));
    CHECK(refused(s.create("Asset", "text", {{"name", "Complexity"}})));
    CHECK(refused(s.ask("schema_field_delete", {{"type", "Asset"}, {"field_name", "code"}}), 104));
}

TEST_CASE("a column of the schema is no row that anybody may write") {
    Studio s;
    CHECK(refused(s.ask("create", {{"type", "DisplayColumn"}, {"fields", Json::array()}}), 104));
}

}  // namespace schema_test
