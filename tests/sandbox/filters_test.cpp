// Filters, sorts, paging and dotted paths of `read`.
#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace filters_test {

using namespace sg;
using namespace sg::test;
using Ids = std::vector<std::int64_t>;

namespace {

Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }

/// Two projects; shots 1 to 3 in the first, shot 4 in the second; tasks 1 and 2 on shot 1, task 3 on shot 2.
struct Studio {
    Studio() {
        site.add("Project", {{"name", "Aurora"}});
        site.add("Project", {{"name", "Bluebell"}, {"archived", true}});
        const auto shot = [&](const char* code, const Json& description, int project, const char* status,
                              const Json& cut_in) {
            site.add("Shot", {{"code", code},
                              {"description", description},
                              {"project", link("Project", project)},
                              {"sg_status_list", status},
                              {"sg_cut_in", cut_in}});
        };
        shot("sh010", "Wide ÉTÉ view", 1, "ip", 1001);
        shot("sh020", nullptr, 1, "fin", 1050);
        shot("SH030", "close", 1, "wtg", nullptr);
        shot("bb010", "wide", 2, "ip", 7);
        const auto task = [&](const char* name, int at, const char* due) {
            site.add("Task", {{"content", name},
                              {"project", link("Project", 1)},
                              {"entity", link("Shot", at)},
                              {"due_date", due}});
        };
        task("Anim", 1, "2026-03-04");
        task("Comp", 1, "2026-03-10");
        task("Comp", 2, "");
    }
    Ids find(const std::string& type, const std::vector<Json>& conditions, Json more = Json::object()) {
        return ids(client.rows(type, conditions, {"id"}, std::move(more)));
    }
    Ids shots(const std::string& path, const std::string& relation, const Json& values) {
        return find("Shot", {condition(path, relation, values)});
    }
    Ids tasks(const std::string& path, const std::string& relation, const Json& values) {
        return find("Task", {condition(path, relation, values)});
    }

    ManualClock clock;  // stands at 2026-03-04
    sandbox::Site site{{.clock = &clock}};
    RawClient client{site.url()};
};

Json group(const std::string& op, const std::vector<Json>& conditions) {
    return {{"logical_operator", op}, {"conditions", conditions}};
}

}  // namespace

TEST_CASE("text compares without case, and empty is null") {
    Studio s;
    CHECK(s.shots("code", "is", "sh030") == Ids{3});
    CHECK(s.shots("code", "starts_with", "SH") == Ids{1, 2, 3});
    CHECK(s.shots("code", "ends_with", "10") == Ids{1, 4});
    CHECK(s.shots("description", "contains", "WIDE") == Ids{1, 4});
    CHECK(s.shots("description", "contains", "été") == Ids{1});
    CHECK(s.shots("description", "is", "") == Ids{2});
    CHECK(s.shots("description", "is", nullptr) == Ids{2});
    CHECK(s.shots("code", "in", {"sh010", "bb010"}) == Ids{1, 4});
}

TEST_CASE("every negative relation takes the null rows along, but is_not null") {
    Studio s;
    CHECK(s.shots("description", "is_not", "close") == Ids{1, 2, 4});
    CHECK(s.shots("description", "not_contains", "wide") == Ids{2, 3});
    CHECK(s.shots("description", "not_in", {"close", "wide"}) == Ids{1, 2});
    CHECK(s.shots("description", "is_not", nullptr) == Ids{1, 3, 4});
    CHECK(s.shots("sg_cut_in", "is_not", 7) == Ids{1, 2, 3});
}

TEST_CASE("numbers are compared strictly, between includes its ends, and null never matches") {
    Studio s;
    CHECK(s.shots("sg_cut_in", "greater_than", 1001) == Ids{2});
    CHECK(s.shots("sg_cut_in", "less_than", 1001) == Ids{4});
    CHECK(s.shots("sg_cut_in", "between", {1050, 1001}) == Ids{1, 2});
    CHECK(s.shots("sg_cut_in", "between", {nullptr, 1001}).empty());
    CHECK(s.shots("id", "in", {4, 2, 99}) == Ids{2, 4});
    CHECK(s.shots("id", "not_in", {4, 2}) == Ids{1, 3});
}

TEST_CASE("statuses compare with case") {
    Studio s;
    CHECK(s.shots("sg_status_list", "in", {"ip", "FIN"}) == Ids{1, 4});
    CHECK(s.shots("sg_status_list", "is_not", "ip") == Ids{2, 3});
}

TEST_CASE("links compare by type and id, by type, and by name") {
    Studio s;
    CHECK(s.tasks("entity", "is", link("Shot", 1)) == Ids{1, 2});
    CHECK(s.tasks("entity", "in", Json::array({link("Shot", 2), link("Shot", 3)})) == Ids{3});
    CHECK(s.tasks("entity", "is_not", link("Shot", 1)) == Ids{3});
    CHECK(s.tasks("entity", "type_is", "Shot") == Ids{1, 2, 3});
    CHECK(s.tasks("entity", "type_is", "Asset").empty());
    CHECK(s.tasks("entity", "name_contains", "h02") == Ids{3});
    CHECK(s.shots("tasks", "is", link("Task", 2)) == Ids{1});
    CHECK(s.shots("tasks", "is", nullptr) == Ids{3, 4});
    CHECK(s.shots("tasks", "not_in", Json::array({link("Task", 1)})) == Ids{2, 3, 4});
}

TEST_CASE("dates know the site's today") {
    Studio s;
    CHECK(s.tasks("due_date", "in_next", {1, "WEEK"}) == Ids{1, 2});
    CHECK(s.tasks("due_date", "in_last", {1, "DAY"}) == Ids{1});
    CHECK(s.tasks("due_date", "not_in_next", {1, "WEEK"}) == Ids{3});
    CHECK(s.tasks("due_date", "greater_than", "2026-03-04") == Ids{2});
    CHECK(s.tasks("created_at", "between", {"2026-03-04", "2026-03-05T00:00:00+01:00"}) == Ids{1, 2, 3});
}

TEST_CASE("dotted paths lead through links, in filters, sorts and return fields") {
    Studio s;
    CHECK(s.tasks("entity.Shot.code", "is", "sh010") == Ids{1, 2});
    CHECK(s.tasks("entity.Shot.project.Project.name", "is", "Aurora") == Ids{1, 2, 3});
    CHECK(s.tasks("entity.Asset.code", "is", "sh010").empty());
    CHECK(s.shots("tasks.Task.content", "is", "anim") == Ids{1});
    CHECK(
        s.find("Task", {}, {{"sorts", {{{"field_name", "entity.Shot.sg_cut_in"}, {"direction", "desc"}}}}}) ==
        Ids{3, 1, 2});
    const auto row = s.client.rows(
        "Task", {condition("id", "is", 3)},
        {"entity", "entity.Shot.code", "entity.Asset.code", "entity.Shot.nope", "project.Project.name"})[0];
    CHECK(row["entity"] == Json{{"type", "Shot"}, {"id", 2}, {"name", "sh020"}});
    CHECK(row["entity.Shot.code"] == "sh020");
    CHECK(row.at("entity.Asset.code").is_null());
    CHECK_FALSE(row.contains("entity.Shot.nope"));
    CHECK(row["project.Project.name"] == "Aurora");
}

TEST_CASE("groups nest, with and and or") {
    Studio s;
    CHECK(s.find("Shot", {group("or", {condition("code", "is", "sh010"),
                                       group("and", {condition("sg_status_list", "is", "ip"),
                                                     condition("project", "is", link("Project", 2))})})}) ==
          Ids{1, 4});
    CHECK(s.find("Shot", {group("or", {condition("id", "is", 2), condition("id", "is", 3)}),
                          condition("id", "greater_than", 2)}) == Ids{3});
    CHECK(s.find(
              "Shot",
              {group("or", {condition("id", "between", {3, 4}),
                            group("and", {condition("id", "less_than", 3), condition("id", "in", {1, 3, 9})}),
                            condition("id", "is", 77)})}) == Ids{1, 3, 4});
    CHECK(s.find("Shot", {group("or", {condition("id", "is", 2), condition("code", "is", "sh010")})}) ==
          Ids{1, 2});
    CHECK(s.find("Shot", {condition("id", "in", {1, 2, 3}), condition("id", "in", {2, 3, 4}),
                          condition("id", "less_than", 3)}) == Ids{2});
}

TEST_CASE("what the site refuses, or the sandbox does not know, is the fault 103 by name") {
    Studio s;
    const auto refused = [&](const std::string& type, const Json& filter, const std::string& text) {
        const auto fault = s.client.rows(type, {filter}, {"id"});
        INFO(fault.dump());
        REQUIRE(fault.is_object());
        CHECK(fault["error_code"] == 103);
        CHECK(fault["message"].get<std::string>().find(text) != std::string::npos);
    };
    refused("Shot", condition("nope", "is", 1), "API read() Shot.nope doesn't exist");
    refused("Shot", condition("project.Bogus.name", "is", "x"), "Shot.project.Bogus.name doesn't exist");
    refused("Shot", condition("code", "greater_than", "a"),
            "Shot.code's 'text' data type doesn't support 'greater_than'");
    refused("Shot", condition("sg_footage", "is", "10-05"), "relations of the 'footage' data type");
    refused("Task", condition("due_date", "in_last", {1, "day"}), "Valid time units");
    refused("Task", condition("due_date", "is", "04.03.2026"), "Invalid date format");
    refused("Shot", condition("code", "in", Json::array()), "expects at least a 1-element array");
    refused("Shot", condition("code", "is", {"a", "b"}), "expects a 1-element array");
    refused("Project", condition("archived", "is", nullptr), "Project.archived");
    refused("Task", condition("entity", "is", 5), "invalid/missing entity hash");
    refused("Shot", group("AND", {}), "Invalid logical operator");
    refused("Version", condition("sg_uploaded_movie", "is", nullptr), "cannot be used in a filter");
    CHECK(s.client.results("read",
                           {{"type", "Shot"},
                            {"paging", {{"entities_per_page", 1}, {"current_page", "foo"}}}})["error_code"] ==
          103);
    CHECK(s.client.results("read", {{"type", "Elephant"}})["error_code"] == 103);
}

TEST_CASE("sorts break ties by id, put null first, and ignore what they do not know") {
    Studio s;
    const auto sorted = [&](const Json& sorts) { return s.find("Shot", {}, {{"sorts", sorts}}); };
    CHECK(sorted(Json::array({{{"field_name", "sg_status_list"}, {"direction", "asc"}}})) == Ids{2, 1, 4, 3});
    CHECK(sorted(Json::array({{{"field_name", "sg_cut_in"}}})) == Ids{3, 4, 1, 2});
    CHECK(sorted(Json::array({{{"field_name", "nope"}}, {{"field_name", "id"}, {"direction", "desc"}}})) ==
          Ids{4, 3, 2, 1});
}

TEST_CASE("pages say whether there is more, and count when asked to") {
    Studio s;
    Json params{{"type", "Shot"},
                {"paging", {{"entities_per_page", 3}, {"current_page", 1}}},
                {"return_paging_info_without_counts", true}};
    auto got = s.client.results("read", params);
    CHECK(ids(got["entities"]) == Ids{1, 2, 3});
    CHECK(got["paging_info"] == Json{{"current_page", 1}, {"entities_per_page", 3}, {"has_next_page", true}});
    params["paging"]["current_page"] = 2;
    params.erase("return_paging_info_without_counts");
    params["return_paging_info"] = true;
    got = s.client.results("read", params);
    CHECK(ids(got["entities"]) == Ids{4});
    CHECK(got["paging_info"]["has_next_page"] == false);
    CHECK(got["paging_info"]["entity_count"] == 4);
    CHECK(got["paging_info"]["page_count"] == 2);
    params["paging"]["current_page"] = 3;
    CHECK(s.client.results("read", params)["entities"].empty());
}

TEST_CASE("rows of archived projects are hidden on request") {
    Studio s;
    CHECK(s.find("Shot", {}) == Ids{1, 2, 3, 4});
    CHECK(s.find("Shot", {}, {{"include_archived_projects", false}}) == Ids{1, 2, 3});
}

}  // namespace filters_test
