// Values as they are written and shown, presets, retired rows, and looking from the other end of a link.
#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace rows_test {

using namespace sg;
using namespace sg::test;
using Ids = std::vector<std::int64_t>;

namespace {

Json link(const std::string& type, std::int64_t id) { return {{"type", type}, {"id", id}}; }

struct Studio {
    Studio() {
        project = link("Project", site.add("Project", {{"name", "Aurora"}}));
        shot = site.add("Shot", {{"code", "sh010"}, {"project", project}});
        site.add("LocalStorage", {{"code", "primary"},
                                  {"linux_path", "/mnt/p"},
                                  {"windows_path", "P:\\"},
                                  {"mac_path", "/Volumes/p"}});
        site.add("LocalStorage", {{"code", "plates"}, {"linux_path", "/mnt/p/plates"}});
    }
    /// What a field of the shot holds after a write; the fault where it was refused.
    Json write(const std::string& name, const Json& value) {
        const auto got = client.results(
            "update",
            {{"type", "Shot"}, {"id", shot}, {"fields", {{{"field_name", name}, {"value", value}}}}});
        return got.contains(name) ? got[name] : got;
    }
    int refused(const std::string& name, const Json& value) {
        const auto got = write(name, value);
        INFO(name << " " << value.dump() << " " << got.dump());
        REQUIRE(got.is_object());
        return got.value("error_code", 0);
    }
    Ids latest(const std::string& type, const Json& preset, const std::vector<Json>& conditions = {}) {
        return ids(
            client.rows(type, conditions, {"id"}, {{"additional_filter_presets", Json::array({preset})}}));
    }
    ManualClock clock;
    sandbox::Site site{{.clock = &clock}};
    RawClient client{site.url()};
    Json project;
    std::int64_t shot = 0;
};

}  // namespace

TEST_CASE("each data type stores what the site would, and refuses the rest") {
    Studio s;
    CHECK(s.write("sg_timecode_in", 41666) == 41666);
    CHECK(s.refused("sg_timecode_in", 3'000'000'000) == 104);
    CHECK(s.write("sg_difficulty", 1.23456789) == 1.234568);
    CHECK(s.write("sg_difficulty", "2.5") == 2.5);
    CHECK(s.refused("sg_difficulty", 1e9) == 104);
    CHECK(s.refused("sg_difficulty", "much") == 103);
    CHECK(s.write("sg_bid", 99.999) == 100.0);
    CHECK(s.write("sg_duration", 7.9) == 7);
    CHECK(s.write("sg_cut_in", "1001") == 1001);
    CHECK(s.refused("sg_cut_in", 1.5) == 103);
    CHECK(s.refused("sg_cut_in", "") == 103);
    CHECK(s.write("sg_color", "1,20,255") == "1,20,255");
    CHECK(s.write("sg_color", "pipeline_step") == "pipeline_step");
    CHECK(s.refused("sg_color", "1,2,256") == 104);
    CHECK(s.write("sg_footage", "12-05") == "12-05");
    CHECK(s.refused("sg_footage", "12") == 104);
    CHECK(s.write("tag_list", {"a", "b", "a"}) == Json{"a", "b"});
    CHECK(s.refused("tag_list", "a") == 103);
    CHECK(s.write("sg_omitted", "true") == true);
    CHECK(s.refused("sg_omitted", nullptr) == 103);
    CHECK(s.refused("assets", nullptr) == 103);
    CHECK(s.write("sg_data", {{"a", 1}}) == Json{{"a", 1}});
    CHECK(s.refused("image", "http://x") == 103);
    CHECK(s.write("image", nullptr).is_null());
    CHECK(s.write("sg_due_date", "").is_null());
    CHECK(s.write("sg_shoot_time", "2026-03-04T05:06:07.9+02:00") == "2026-03-04T03:06:07Z");
    CHECK(s.refused("sg_shoot_time", "") == 103);
    CHECK(s.refused("sg_notes_summary", 5) == 103);
    const auto text = s.write("code", 5)["message"].get<std::string>();
    CHECK(text == "API update() Shot.code expected [String, NilClass] data type(s) but got Integer: 5");
}

TEST_CASE("a file link knows its storage by the longest path, and shows every platform's") {
    Studio s;
    CHECK(s.write("sg_reference", {{"url", "https://wiki.example.com/r/1"}, {"name", "Review"}}) ==
          Json{{"name", "Review"},
               {"content_type", nullptr},
               {"link_type", "web"},
               {"url", "https://wiki.example.com/r/1"}});
    auto local = s.write("sg_reference", {{"local_path", "/mnt/p/dailies/take2.mov"}});
    CHECK(local["local_storage"] == Json{{"type", "LocalStorage"}, {"id", 1}, {"name", "primary"}});
    CHECK(local["relative_path"] == "dailies/take2.mov");
    CHECK(local["local_path_mac"] == "/Volumes/p/dailies/take2.mov");
    CHECK(local["name"] == "take2.mov");
    CHECK(local["link_type"] == "local");
    CHECK(s.write("sg_reference", {{"local_path", "/mnt/p/plates/a.exr"}})["local_storage"]["name"] ==
          "plates");
    local = s.write("sg_reference", {{"local_storage", {{"type", "LocalStorage"}, {"name", "plates"}}},
                                     {"relative_path", "b.exr"}});
    CHECK(local["local_path_linux"] == "/mnt/p/plates/b.exr");
    CHECK(local["local_path_windows"].is_null());
    const auto lost = s.write("sg_reference", {{"local_path", "/elsewhere/a"}})["message"].get<std::string>();
    CHECK(lost.find("Path /elsewhere/a doesn't match any defined Local Storage.") != std::string::npos);
    CHECK(s.refused("sg_reference", {{"link_type", "upload"}, {"url", "x"}}) == 103);
    CHECK(s.refused("sg_reference", "https://x") == 103);
    CHECK(s.write("sg_reference", nullptr).is_null());
    const auto rows =
        s.client.rows("EventLogEntry", {condition("attribute_name", "is", "sg_reference")}, {"meta"});
    CHECK(rows[0]["meta"]["new_value"]["attachment_type"] == "http_url");
    CHECK(rows[0]["meta"]["field_data_type"] == "url");
}

TEST_CASE("presets leave the latest of what hangs on the same row") {
    Studio s;
    const Json by_time{{"preset_name", "LATEST"}, {"latest_by", "ENTITIES_CREATED_AT"}};
    const auto version = [&](const char* at, const Json& entity, const Json& task = nullptr) {
        return s.site.add("Version", {{"code", at},
                                      {"project", s.project},
                                      {"created_at", at},
                                      {"entity", entity},
                                      {"sg_task", task}});
    };
    const auto other = link("Shot", s.site.add("Shot", {{"code", "sh020"}, {"project", s.project}}));
    const auto step = [&](int order) {
        return link("Step", s.site.add("Step", {{"code", "s"}, {"list_order", order}}));
    };
    const auto task = [&](const Json& at) {
        return link("Task", s.site.add("Task", {{"content", "t"}, {"project", s.project}, {"step", at}}));
    };
    const auto early = task(step(1)), late = task(step(2));
    version("2026-01-01T00:00:00Z", link("Shot", s.shot), late);
    version("2026-01-03T00:00:00Z", link("Shot", s.shot), early);
    version("2026-01-02T00:00:00Z", other);
    version("2026-01-09T00:00:00Z", nullptr);
    CHECK(s.latest("Version", by_time) == Ids{2, 3});
    CHECK(s.latest("Version", by_time, {condition("id", "is", 3)}) == Ids{3});
    CHECK(s.latest("Version", {{"preset_name", "LATEST"},
                               {"latest_by", "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT"}}) ==
          Ids{1, 3});
    for (const int number : {3, 7, 5})
        s.site.add("PublishedFile",
                   {{"code", "f"}, {"project", s.project}, {"entity", other}, {"version_number", number}});
    CHECK(s.latest("PublishedFile", {{"preset_name", "LATEST"}, {"latest_by", "VERSION_NUMBER"}}) == Ids{2});
    for (const int number : {2, 1})
        s.site.add("Cut", {{"code", "c"}, {"project", s.project}, {"revision_number", number}});
    CHECK(s.latest("Cut", {{"preset_name", "LATEST"}, {"latest_by", "REVISION_NUMBER"}}) == Ids{1});
    s.site.add("CutItem", {{"code", "i"}, {"project", s.project}, {"cut", link("Cut", 1)}, {"shot", other}});
    CHECK(s.latest("Version", {{"preset_name", "CUT_SHOT_VERSIONS"}, {"cut_id", 1}}) == Ids{3});
    for (const Json& wrong : {Json{{"preset_name", "NEWEST"}}, Json{{"preset_name", "LATEST"}},
                              Json::object(), Json(5), Json{{"preset_name", "CUT_SHOT_VERSIONS"}}}) {
        INFO(wrong.dump());
        CHECK(s.client.rows("Version", {}, {"id"},
                            {{"additional_filter_presets", Json::array({wrong})}})["error_code"] == 103);
    }
    CHECK(s.client.rows("Shot", {}, {"id"},
                        {{"additional_filter_presets", Json::array({by_time})}})["error_code"] == 103);
}

TEST_CASE("what a delete took along comes back with the row, and what was gone before stays gone") {
    Studio s;
    const auto task = [&](const char* name) {
        return s.site.add("Task",
                          {{"content", name}, {"project", s.project}, {"entity", link("Shot", s.shot)}});
    };
    const auto gone = task("a"), along = task("b");
    s.client.results("delete", link("Task", gone));
    s.client.results("delete", link("Shot", s.shot));
    CHECK(s.client.rows("Task", {}, {"id"}).empty());
    const auto before = s.site.newest_id();
    CHECK(s.client.results("revive", link("Shot", s.shot)) == true);
    CHECK(ids(s.client.rows("Task", {}, {"id"})) == Ids{along});
    const auto rows = s.client.rows("EventLogEntry", {condition("id", "greater_than", before)},
                                    {"event_type", "attribute_name", "meta"});
    REQUIRE(rows.size() == 3);
    CHECK(rows[0]["event_type"] == "Shotgun_Task_Change");
    CHECK(rows[0]["attribute_name"] == "retirement_date");
    CHECK(rows[0]["meta"]["old_value"] == "2026-03-04 00:00:00 UTC");
    CHECK(rows[1]["event_type"] == "Shotgun_Shot_Change");
    CHECK(rows[2]["event_type"] == "Shotgun_Shot_Revival");
    CHECK(s.client.results("revive", link("Shot", s.shot)) == false);
}

TEST_CASE("a deleted task takes its dependencies along, and its versions lose it") {
    Studio s;
    const auto task = s.site.add("Task", {{"content", "a"}, {"project", s.project}});
    s.site.add("TaskDependency", {{"dependent_task", link("Task", task)}});
    const auto version =
        s.site.add("Version", {{"code", "v"}, {"project", s.project}, {"sg_task", link("Task", task)}});
    s.client.results("delete", link("Task", task));
    CHECK(s.client.rows("TaskDependency", {}, {"id"}).empty());
    CHECK(s.client.rows("Version", {condition("id", "is", version)}, {"sg_task"})[0]["sg_task"].is_null());
    s.client.results("revive", link("Task", task));
    CHECK(s.client.rows("TaskDependency", {}, {"id"}).size() == 1);
    CHECK(s.client.rows("Version", {}, {"sg_task"})[0]["sg_task"]["id"] == task);
}

TEST_CASE("the retired row behind an event is found from the event's end") {
    Studio s;
    const auto gone = s.site.add("Shot", {{"code", "gone"}, {"project", s.project}});
    s.client.results("delete", link("Shot", gone));
    const auto event = s.site.newest_id();
    CHECK(s.client.rows("EventLogEntry", {condition("id", "is", event)}, {"entity"})[0]["entity"].is_null());
    const auto behind = [&](const char* path) {
        return s.client.rows("Shot", {condition(path, "is", event)}, {"code"}, {{"return_only", "retired"}});
    };
    const auto rows = behind("$FROM$EventLogEntry.entity.id");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["code"] == "gone");
    CHECK(behind("$FROM$EventLogEntry.meta.id")["error_code"] == 103);
    CHECK(behind("$FROM$Elephant.entity.id")["error_code"] == 103);
    s.site.add("Task", {{"content", "x"}, {"project", s.project}, {"entity", link("Shot", s.shot)}});
    CHECK(ids(s.client.rows("Shot", {condition("$FROM$Task.entity.content", "is", "X")}, {"id"})) ==
          Ids{s.shot});
}

TEST_CASE("groups nest 265 deep and no deeper") {
    Studio s;
    const auto nested = [&](int groups) {
        Json tree{{"logical_operator", "and"}, {"conditions", Json::array()}};
        for (int i = 1; i < groups; ++i) tree = Json{{"logical_operator", "or"}, {"conditions", {tree}}};
        return s.client.results("read", {{"type", "Shot"}, {"filters", tree}});
    };
    CHECK(nested(265).contains("entities"));
    CHECK(nested(266)["error_code"] == 103);
}

}  // namespace rows_test
