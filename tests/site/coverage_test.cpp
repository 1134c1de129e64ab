// docs/site-coverage.md says of every method, relation and data type of the protocol whether the client has
// it. The names are the protocol's; what the client has is asked of its code. The column of the sandbox is
// not looked at here.

#include <algorithm>
#include <fstream>
#include <map>

#include "catch.hpp"
#include "plugin_site.hpp"

namespace coverage_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

/// First and second column of the table below a heading.
std::map<std::string, std::string> column_of_client(const std::string& heading) {
    std::map<std::string, std::string> out;
    std::ifstream page(SG_COVERAGE_PAGE);
    bool here = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) here = line == "## " + heading;
        if (!here || !line.starts_with("| `")) continue;
        const auto name_end = line.find('`', 3), begin = line.find('|', name_end) + 2;
        const auto end = line.find(" |", begin);
        REQUIRE(line.find('|', end + 2) != std::string::npos);  // there is a third column
        CHECK(out.emplace(line.substr(3, name_end - 3), line.substr(begin, end - begin)).second);
    }
    return out;
}

bool is_no(const std::string& cell) { return cell.starts_with("no: ") && cell.size() > 8; }

const char* const rpc_methods[] = {"info",
                                   "find",
                                   "find_one",
                                   "create",
                                   "update",
                                   "delete",
                                   "revive",
                                   "batch",
                                   "summarize",
                                   "text_search",
                                   "nav_expand",
                                   "nav_search_string",
                                   "nav_search_entity",
                                   "activity_stream_read",
                                   "note_thread_read",
                                   "follow",
                                   "unfollow",
                                   "followers",
                                   "following",
                                   "work_schedule_read",
                                   "work_schedule_update",
                                   "schema_read",
                                   "schema_entity_read",
                                   "schema_field_read",
                                   "schema_field_create",
                                   "schema_field_update",
                                   "schema_field_delete",
                                   "preferences_read",
                                   "get_session_token",
                                   "authenticate_human_user",
                                   "update_project_last_accessed",
                                   "user_subscriptions_read",
                                   "user_subscriptions_create",
                                   "export_page"};

/// Files, and the calls that carry them.
const std::pair<const char*, const char*> file_methods[] = {{"upload", "upload"},
                                                            {"upload_thumbnail", "upload"},
                                                            {"upload_filmstrip_thumbnail", "upload"},
                                                            {"share_thumbnail", "share_thumbnail"},
                                                            {"download_attachment", "download_attachment"}};

/// What only concerns an object of the Python client.
const char* const other_methods[] = {"get_attachment_download_url",
                                     "get_auth_cookie_handler",
                                     "connect",
                                     "close",
                                     "add_user_agent",
                                     "reset_user_agent",
                                     "set_session_uuid",
                                     "schema",
                                     "entity_types"};

const char* const relation_names[] = {"is",
                                      "is_not",
                                      "less_than",
                                      "greater_than",
                                      "contains",
                                      "not_contains",
                                      "starts_with",
                                      "ends_with",
                                      "between",
                                      "not_between",
                                      "in",
                                      "not_in",
                                      "in_last",
                                      "not_in_last",
                                      "in_next",
                                      "not_in_next",
                                      "in_calendar_day",
                                      "in_calendar_week",
                                      "in_calendar_month",
                                      "in_calendar_year",
                                      "type_is",
                                      "type_is_not",
                                      "name_is",
                                      "name_contains",
                                      "name_not_contains",
                                      "name_starts_with",
                                      "name_ends_with",
                                      "name_id"};

/// A value of each data type as a site sends it.
const std::pair<const char*, const char*> data_types[] = {
    {"addressing", R"([{"type": "HumanUser", "id": 42, "name": "Ravi"}])"},
    {"checkbox", "true"},
    {"color", R"("0,128,255")"},
    {"currency", "9999999999999.99"},
    {"date", R"("2026-03-04")"},
    {"date_time", R"("2026-03-04T05:06:07Z")"},
    {"duration", "480"},
    {"entity", R"({"type": "Shot", "id": 9007199254740993, "name": "sh010"})"},
    {"float", "0.000001"},
    {"footage", R"("12-08")"},
    {"image", R"("https://storage.example.com/t.jpg")"},
    {"list", R"("Character")"},
    {"multi_entity", R"([{"type": "Asset", "id": 12, "name": "tree"}])"},
    {"number", "2147483647"},
    {"password", R"("*******")"},
    {"percent", "50"},
    {"serializable", R"({"a": [1, 2.5, null, {"b": "c"}]})"},
    {"jsonb", R"({"a": 1})"},
    {"status_list", R"("ip")"},
    {"tag_list", R"(["one", "two"])"},
    {"text", R"("sch\u00f6n &lt; 2026-03-04T05:06:07Z")"},
    {"timecode", "86400000"},
    {"url", R"({"name": "Review page", "link_type": "web", "url": "https://wiki.example.com/r/1"})"},
    {"uuid", R"("5a1d49b0-0c69-11e0-a24c-003048d17544")"},
    {"calculated", "1.5"},
    {"summary", "3"},
    {"query", "7"},
    {"pivot_column", "null"},
    {"entity_type", R"("CustomEntity07")"},
    {"system_task_type", R"("x")"},
};

}  // namespace

TEST_CASE("the coverage page names every method of the protocol, and says of each what the code has") {
    const auto page = column_of_client("Methods");
    const auto names = site::site_method_names();
    const auto has = [&](std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const std::string name : rpc_methods) {
        INFO(name);
        REQUIRE(page.count(name) == 1);
        CHECK(has(name == "find_one" ? "find" : name));
        CHECK(page.at(name) == "yes");
    }
    for (const auto& [name, call] : file_methods) {
        INFO(name);
        REQUIRE(page.count(name) == 1);
        CHECK(has(call));
        CHECK(page.at(name) == "yes");
    }
    for (const std::string name : other_methods) {
        INFO(name);
        REQUIRE(page.count(name) == 1);
        CHECK((page.at(name) == "yes" || is_no(page.at(name))));
    }
    CHECK(page.size() == std::size(rpc_methods) + std::size(file_methods) + std::size(other_methods));
}

TEST_CASE("the coverage page names every relation, and says of each whether filters can be made with it") {
    const auto page = column_of_client("Relations");
    CHECK(page.size() == std::size(relation_names));
    for (const std::string name : relation_names) {
        INFO(name);
        REQUIRE(page.count(name) == 1);
        const bool known = std::any_of(detail::relations.begin(), detail::relations.end(),
                                       [&](const auto& each) { return each.name == name; });
        CHECK((known ? page.at(name) == "yes" : is_no(page.at(name))));
    }
    for (const auto& each : detail::relations) CHECK(page.count(std::string(each.name)) == 1);
}

TEST_CASE("a value of each data type reaches a plugin as the site sent it, and the coverage page says so") {
    const auto page = column_of_client("Data types");
    CHECK(page.size() == std::size(data_types));
    for (const auto& [name, text] : data_types) {
        INFO(name);
        REQUIRE(page.count(name) == 1);
        const auto value = json::parse(text);
        VersionedSite site(rows(json::array({json{{"type", "Shot"}, {"id", 1}, {"sg_x", value}}})));
        const auto row = PluginSite(*site.client).find_one("Shot", {}, {"sg_x"});
        CHECK(row["sg_x"].dump() == value.dump());
        CHECK(page.at(name) == "yes");
    }
}

}  // namespace coverage_test
