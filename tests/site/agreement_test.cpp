// Every call of the SDK against the sandbox, which shares none of the client's code: both follow the same
// protocol, so what one writes the other understands.

#include <sg/testing/event.hpp>

#include "catch.hpp"
#include "plugin_site.hpp"
#include "sandbox/site.hpp"
#include "site/methods_people.hpp"

namespace agreement_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// A plugin's site, as the sandbox's own script.
class StudioSite final : public Site {
public:
    explicit StudioSite(site::Client& client) : client_(client) {}
    json call(std::string_view method, const json& arguments) override {
        const auto answer = site::call_site(client_, method, arguments.dump(), script());
        if (!answer) throw Error(answer.error().cause, answer.error().message, answer.error().site_code);
        return json::parse(*answer);
    }
    static site::CallOptions script() { return as(sandbox::Site::script, sandbox::Site::key); }

private:
    site::Client& client_;
};

/// A project with a few rows, made through the SDK.
struct Studio {
    Studio() {
        rhea = {"HumanUser", sandbox.add_person("Rhea Voss", "rhea", "pass"), ""};
        project = {"Project", sandbox.add("Project", {{"name", "Aurora"}}), ""};
        sequence = EntityRef::from_json(site.create("Sequence", {{"code", "seq01"}, {"project", project}}));
        for (const auto& [code, status] : {std::pair{"sh010", "ip"}, {"sh020", "ip"}, {"sh030", "fin"}})
            shots.push_back(EntityRef::from_json(site.create("Shot", {{"code", code},
                                                                      {"project", project},
                                                                      {"sg_status_list", status},
                                                                      {"sg_sequence", sequence}})));
        task = EntityRef::from_json(
            site.create("Task", {{"content", "comp"}, {"project", project}, {"entity", shots[0]}}));
    }

    sandbox::Site sandbox;
    SystemClock clock;
    CaptureLog log;
    std::unique_ptr<site::Client> client = make_client(quick(sandbox.url()), clock, log);
    StudioSite site{*client};
    EntityRef rhea, project, sequence, task;
    std::vector<EntityRef> shots;
};

}  // namespace

TEST_CASE("filters of every shape find what they mean on the sandbox") {
    Studio s;
    const auto count = [&](const json& filters) { return s.site.find("Shot", filters).size(); };
    CHECK(count({}) == 3);
    CHECK(count(field("code").is("SH010")) == 1);
    CHECK(count(field("code").in({"sh010", "sh030"})) == 2);
    CHECK(count(field("code").not_in({"sh010"})) == 2);
    CHECK(count(field("code").in({})) == 0);
    CHECK(count(field("code").starts_with("sh0")) == 3);
    CHECK(count(field("sg_sequence").is(s.sequence)) == 3);
    CHECK(count(field("sg_sequence.Sequence.code").is("seq01")) == 3);
    CHECK(count(field("sg_sequence").name_contains("seq")) == 3);
    CHECK(count(field("sg_sequence").type_is("Sequence")) == 3);
    CHECK(count(field("id").between(s.shots[0].id, s.shots[1].id)) == 2);
    CHECK(count(field("created_at").in_last(1, TimeUnit::day)) == 3);
    CHECK(count(field("created_at").in_calendar_year(-2)) == 0);
    CHECK(count(field("created_at").greater_than(UtcTime{} + 1000h)) == 3);
    CHECK(count(any_of{field("code").is("sh010"), all_of{field("sg_status_list").is("fin"),
                                                         field("sg_sequence").is_not(nullptr)}}) == 2);
    CHECK(count({field("sg_status_list").is("ip"), field("code").is_not("sh010")}) == 1);
}

TEST_CASE("writes of every kind do what they say on the sandbox") {
    Studio s;
    CHECK(s.site.remove(s.shots[0]));
    CHECK_FALSE(s.site.remove(s.shots[0]));
    CHECK(s.site.revive(s.shots[0]));
    CHECK_FALSE(s.site.revive(s.shots[0]));

    const auto asset =
        EntityRef::from_json(s.site.create("Asset", {{"code", "tree"}, {"project", s.project}}));
    const auto other =
        EntityRef::from_json(s.site.create("Asset", {{"code", "rock"}, {"project", s.project}}));
    s.site.update(s.shots[0], {{"assets", links({asset})}});
    auto row = s.site.update(s.shots[0], {{"assets", links({other})}}, {{"assets", UpdateMode::add}});
    CHECK(read_links(row["assets"]).size() == 2);
    row = s.site.update(s.shots[0], {{"assets", links({asset})}}, {{"assets", UpdateMode::remove}});
    CHECK(read_links(row["assets"]) == std::vector<EntityRef>{other});

    Batch batch;
    batch.create("Shot", {{"code", "sh040"}, {"project", s.project}}, {"id"})
        .update(s.shots[1], {{"sg_status_list", "fin"}})
        .remove(s.shots[2]);
    const auto results = s.site.batch(batch);
    REQUIRE(results.size() == 3);
    CHECK(results[0]["code"] == "sh040");
    CHECK(results[1]["sg_status_list"] == "fin");
    CHECK(results[2] == true);
    batch = {};
    batch.update(s.shots[1], {{"sg_status_list", "ip"}}).update(s.shots[1], {{"no_such_field", 1}});
    CHECK_THROWS_AS(s.site.batch(batch), Error);
    CHECK(s.site.find_one("Shot", field("id").is(s.shots[1].id), {"sg_status_list"})["sg_status_list"] ==
          "fin");
}

TEST_CASE("sums, searches, trees, streams and threads come back from the sandbox") {
    Studio s;
    const auto sums = s.site.summarize("Shot", field("project").is(s.project), {{"id", "count"}},
                                       {{{"sg_status_list", "exact"}}, true});
    CHECK(sums["summaries"]["id"] == 3);
    CHECK(sums["groups"].size() == 2);

    const auto found = s.site.text_search("sh0", {{"Shot", {}}, {"Task", {}}}, {{s.project.id}, 2});
    CHECK(found["matches"].size() == 2);

    const auto path = "/Project/" + std::to_string(s.project.id);
    CHECK(s.site.nav_expand(path)["path"] == path);
    CHECK(s.site.nav_search_string(path, "sh010").is_array());
    CHECK(s.site.nav_search_entity(path, s.shots[0]).is_array());

    const auto stream = s.site.activity_stream_read(s.shots[0]);
    CHECK(stream["entity_id"] == s.shots[0].id);
    CHECK(stream["updates"].is_array());

    const auto note = EntityRef::from_json(
        s.site.create("Note", {{"subject", "x"}, {"content", "Darker please"}, {"project", s.project}}));
    s.site.create("Reply", {{"entity", note}, {"content", "Done"}});
    const auto thread = s.site.note_thread_read(note.id);
    REQUIRE(thread.size() == 2);
    CHECK(thread[0]["content"] == "Darker please");
    CHECK(read_time(thread[0]["created_at"]));
    CHECK(thread[1]["content"] == "Done");
}

TEST_CASE("people follow, work, log in and look at projects on the sandbox") {
    Studio s;
    s.site.follow(s.rhea, s.shots[0]);
    CHECK(s.site.followers(s.shots[0]) == std::vector<EntityRef>{s.rhea});
    CHECK(s.site.following(s.rhea) == std::vector<EntityRef>{s.shots[0]});
    s.site.unfollow(s.rhea, s.shots[0]);
    CHECK(s.site.followers(s.shots[0]).empty());

    WorkScheduleChange closed;
    closed.date = 2026y / 12 / 31;
    closed.working = false;
    closed.description = "Closed";
    CHECK(s.site.work_schedule_update(closed)["working"] == false);
    const auto days = s.site.work_schedule_read(2026y / 12 / 30, 2026y / 12 / 31);
    CHECK(days.size() == 2);
    CHECK(days["2026-12-31"]["description"] == "Closed");

    CHECK(s.site.authenticate_human_user("rhea", "pass")["id"] == s.rhea.id);
    CHECK(s.site.authenticate_human_user("rhea", "wrong").is_null());
    CHECK_FALSE(s.site.get_session_token().empty());
    CHECK(s.site.update_project_last_accessed(s.project, s.rhea)["id"] == s.project.id);
    CHECK(s.site.user_subscriptions_read().is_array());
    CHECK(s.site.preferences_read().is_object());
    CHECK(s.site.info()["version"].is_array());

    SiteAs(s.site, "rhea").update(s.task, {{"content", "comp2"}});
    const auto event =
        s.site.find_one("EventLogEntry", field("attribute_name").is("content"), {"user"},
                        {.order = json::array({json{{"field_name", "id"}, {"direction", "desc"}}})});
    CHECK(EntityRef::from_json(event["user"]) == s.rhea);
}

TEST_CASE("a person logs in with a code that is good once, and goes on with the session") {
    Studio s;
    s.sandbox.require_code("rhea", "492817");
    site::CallOptions person;
    person.credential = site::User{"rhea", "pass", ""};
    site::FindRequest request;
    request.query.type = "Shot";
    CHECK(failure_of(s.client->find(request, person)).site_code == 106);
    const auto session = site::log_in(*s.client, {"rhea", "pass", "492817"}, {});
    INFO(failure_of(session).message);
    REQUIRE(session);
    person.credential = *session;
    const auto found = s.client->find(request, person);
    INFO(failure_of(found).message);
    REQUIRE(found);
    CHECK(found->size() == 3);
    s.sandbox.expire_sessions();
    const auto expired = failure_of(s.client->find(request, person));
    CHECK(expired.site_code == 102);
    CHECK(expired.message.find(session->token) == std::string::npos);
}

TEST_CASE("fields are made, shown, renamed and retired on the sandbox") {
    Studio s;
    const auto name =
        s.site.schema_field_create("Shot", "text", "Weather Kind", {{"description", "how wet"}});
    CHECK(name == "sg_weather_kind");
    CHECK(s.site.schema_field_read("Shot", name)[name]["data_type"]["value"] == "text");
    CHECK(s.site.schema_field_update("Shot", name, {{"name", "Weather"}}));
    CHECK(s.site.schema_field_read("Shot", {}, s.project)[name]["name"]["value"] == "Weather");
    CHECK(s.site.schema_field_delete("Shot", name));
    CHECK_FALSE(s.site.schema_read()["Shot"].contains(name));
    CHECK(s.site.schema_entity_read(s.project).contains("Shot"));
}

TEST_CASE("P38 the entity behind an event's null link is found on the sandbox, with and without meta") {
    Studio s;
    s.site.remove(s.shots[0]);
    auto row = s.site.find_one("EventLogEntry", field("event_type").is("Shotgun_Shot_Retirement"),
                               {"event_type", "entity", "meta"});
    REQUIRE(row.is_object());
    CHECK(row["entity"].is_null());
    const sg::testing::EventFromJson event(row);
    CHECK(s.site.find_retired(event, {"code"})["code"] == "sh010");
    row["meta"] = nullptr;
    CHECK(s.site.find_retired(sg::testing::EventFromJson(row), {"code"})["code"] == "sh010");
}

}  // namespace agreement_test
