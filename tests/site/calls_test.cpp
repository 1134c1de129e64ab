// Calls beside their plain form: old sites, other callers, odd answers, what is not sent at all.

#include "catch.hpp"
#include "plugin_site.hpp"
#include "site/methods_people.hpp"

namespace calls_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const EntityRef project{"Project", 70, "Demo"}, shot{"Shot", 862, "sh010"}, user{"HumanUser", 42, "Ravi"};

}  // namespace

TEST_CASE("info reaches a plugin as the site says it") {
    VersionedSite site(results(true));
    PluginSite plugin(*site.client);
    CHECK(plugin.info() == json::parse(R"({"version": [8, 62, 0]})"));
}

TEST_CASE("an exported page is text, and its faults are faults") {
    const std::string csv = "Id,Shot Code,Status\n862,sh\xc3\xbc,ip\n";
    VersionedSite site(http(csv, 200, "", "text/csv"));
    PluginSite plugin(*site.client);
    CHECK(plugin.export_page(3074) == csv);
    CHECK(site.calls().at(0).parameters() ==
          json::parse(R"({"format": "csv", "page_id": 3074, "layout_name": null})"));

    VersionedSite refusing(http(
        R"({"exception": true, "message": "Export for Page id=3074 not available", "error_code": 104})"));
    PluginSite refused(*refusing.client);
    std::string said;
    try {
        refused.export_page(3074);
    } catch (const Error& error) {
        said = error.what();
    }
    CHECK(said.find("id=3074 not available") != std::string::npos);
}

TEST_CASE("authenticate_human_user sends the candidate's credentials, and null says they are wrong") {
    const auto fault = [](int code) {
        return http(json{{"exception", true}, {"message", "no"}, {"error_code", code}}.dump());
    };
    VersionedSite wrong(fault(102));
    CHECK(PluginSite(*wrong.client).authenticate_human_user("rhea", "s3cret").is_null());
    CHECK(wrong.calls().at(0).auth() == json::parse(R"({"user_login": "rhea", "user_password": "s3cret"})"));
    VersionedSite sso(fault(GENERATE(106, 108, 110)));  // no password would do
    CHECK_THROWS_AS(PluginSite(*sso.client).authenticate_human_user("rhea", "s3cret"), Error);
}

TEST_CASE("a code that is good once is traded for a session and sent once") {
    VersionedSite site(results(json{{"session_id", "dd63550a"}}));
    const auto session = site::log_in(*site.client, {"rhea", "s3cret", "492817"}, {});
    REQUIRE(session);
    CHECK(session->token == "dd63550a");
    REQUIRE(site.calls().size() == 1);
    CHECK(site.calls()[0].auth() ==
          json::parse(R"({"user_login": "rhea", "user_password": "s3cret", "auth_token": "492817"})"));
    VersionedSite silent(results(json::object()));
    CHECK(failure_of(site::log_in(*silent.client, {"rhea", "s3cret", ""}, {})).cause == Cause::bad_answer);
    VersionedSite bare(http(R"({"session_id": "dd63550a"})"));
    CHECK(site::get_session_token(*bare.client, as("relay")).value() == "dd63550a");
}

TEST_CASE("what a site is too old for is refused by name, and only its version is asked for") {
    struct Gated {
        const char* too_old;
        json (*call)(Site&);
    };
    const auto row = GENERATE(
        Gated{"[3, 1, 9]", [](Site& s) { return s.work_schedule_read(2026y / 12 / 24, 2026y / 12 / 25); }},
        Gated{"[5, 1, 21]", [](Site& s) { return s.follow(user, shot); }},
        Gated{"[5, 1, 21]", [](Site& s) { return json(s.followers(shot)); }},
        Gated{"[5, 3, 11]", [](Site& s) { return json(SiteAs(s, "rhea").remove("Shot", 1)); }},
        Gated{"[5, 3, 13]",
              [](Site& s) {
                  return s.summarize("Shot", {}, {{"id"}}, {{}, false});
              }},
        Gated{"[5, 3, 13]",
              [](Site& s) {
                  FindOptions options;
                  options.include_archived_projects = false;
                  return s.find("Shot", {}, {}, options);
              }},
        Gated{"[5, 3, 19]", [](Site& s) { return s.update_project_last_accessed(project, user); }},
        Gated{"[5, 4, 3]", [](Site& s) { return s.schema_read(project); }},
        Gated{"[6, 1, 9]",
              [](Site& s) {
                  return s.text_search("bunny", {{"Asset", {}}});
              }},
        Gated{"[6, 1, 9]", [](Site& s) { return s.note_thread_read(1); }},
        Gated{"[6, 1, 9]", [](Site& s) { return s.activity_stream_read(shot); }},
        Gated{"[6, 9, 9]",
              [](Site& s) {
                  FindOptions options;
                  options.additional_filter_presets = json::array({json{{"preset_name", "LATEST"}}});
                  return s.find("Shot", {}, {}, options);
              }},
        Gated{"[7, 0, 11]", [](Site& s) { return json(s.following(user)); }},
        Gated{"[7, 9, 0]", [](Site& s) { return s.preferences_read(); }});
    VersionedSite site(results(true), row.too_old);
    PluginSite plugin(*site.client);
    for (int i = 0; i < 2; ++i) {
        try {
            row.call(plugin);
            FAIL("it was not refused");
        } catch (const Error& error) {
            CHECK(error.cause() == Cause::not_supported);
            CHECK(std::string(error.what()).find("too old") != std::string::npos);
        }
    }
    CHECK(site.server.count() == 1);
}

TEST_CASE("a read is in the form of the site's age once that is known") {
    struct Aged {
        const char* version;
        bool images, counts;
    };
    const auto row = GENERATE(Aged{"[8, 62, 0]", true, false}, Aged{"[7, 3, 9]", true, true},
                              Aged{"[3, 2, 9]", false, true});
    VersionedSite site(rows(json::array()), row.version);
    REQUIRE(site.client->version({}));
    PluginSite(*site.client).find("Shot", {});
    const auto sent = site.calls().at(0).parameters();
    CHECK(sent.contains("api_return_image_urls") == row.images);
    CHECK(sent.contains("return_paging_info") == row.counts);
    CHECK(sent.contains("return_paging_info_without_counts") != row.counts);
}

TEST_CASE("a call in somebody's name carries their login, and the next one does not") {
    VersionedSite site(results(true));
    PluginSite plugin(*site.client);
    SiteAs rhea(plugin, "rhea");
    rhea.remove(shot);
    plugin.remove(shot);
    CHECK(site.calls().at(0).auth()["sudo_as_login"] == "rhea");
    CHECK_FALSE(site.calls().at(1).auth().contains("sudo_as_login"));
    CHECK_THROWS_AS(SiteAs(plugin, ""), Error);
}

TEST_CASE("who looked at a project is the person acted as, where nobody is named") {
    TestSite site([](const RawRequest& request, RawPeer& peer) {
        if (request.method() == "info") return peer.send(http(R"({"version": [8, 62, 0]})"));
        if (request.method() != "read") return peer.send(results(json{{"type", "Project"}, {"id", 70}}));
        peer.send(rows(json::parse(R"([{"type": "HumanUser", "id": 38}])")));
    });
    PluginSite plugin(*site.client);
    SiteAs(plugin, "rhea").update_project_last_accessed(project);
    plugin.update_project_last_accessed(project);
    const auto sent = site.server.requests();
    REQUIRE(sent.size() == 4);
    CHECK(sent[1].parameters()["filters"]["conditions"][0] ==
          json::parse(R"({"path": "login", "relation": "is", "values": ["rhea"]})"));
    CHECK(sent[2].parameters() == json::parse(R"({"project_id": 70, "user_id": 38})"));
    CHECK(sent[3].parameters() == json::parse(R"({"project_id": 70})"));
}

TEST_CASE("subscriptions read alike in both forms that sites send") {
    VersionedSite site(results(json::parse(R"({"42": "basic", "43": null})")));
    CHECK(
        PluginSite(*site.client).user_subscriptions_read() ==
        json::parse(
            R"([{"humanUserId": 42, "subscription": "basic"}, {"humanUserId": 43, "subscription": null}])"));
}

TEST_CASE("writes are sent once, whatever answers them") {
    struct Write {
        json (*call)(Site&);
    };
    const auto row = GENERATE(
        Write{[](Site& s) { return json(s.revive(shot)); }},
        Write{[](Site& s) { return s.batch(Batch{}.remove(shot)); }},
        Write{[](Site& s) { return s.follow(user, shot); }},
        Write{[](Site& s) { return s.unfollow(user, shot); }},
        Write{[](Site& s) { return json(s.schema_field_create("Shot", "text", "x")); }}, Write{[](Site& s) {
            return json(s.schema_field_update("Shot", "x", {{"name", "y"}}));
        }},
        Write{[](Site& s) { return json(s.schema_field_delete("Shot", "x")); }},
        Write{[](Site& s) { return s.update_project_last_accessed(project, user); }},
        Write{[](Site& s) { return json(s.user_subscriptions_create(json::array())); }}, Write{[](Site& s) {
            return s.work_schedule_update({2026y / 12 / 31, false, {}, "", {}});
        }});
    VersionedSite site(http("", 503));
    PluginSite plugin(*site.client);
    CHECK_THROWS_AS(row.call(plugin), Error);
    CHECK(site.calls().size() == 1);
}

TEST_CASE("what matches nothing, or does nothing, is not sent") {
    VersionedSite site(results(true));
    PluginSite plugin(*site.client);
    CHECK(plugin.find("Shot", field("code").in({})).empty());
    CHECK(plugin.batch({}).empty());
    CHECK(plugin.text_search("bunny", {{"Asset", field("code").in({})}})["matches"].empty());
    CHECK(plugin.update("Shot", 1, json::object()) == json::parse(R"({"type": "Shot", "id": 1})"));
    CHECK(site.server.count() == 0);
}

TEST_CASE("ids beyond 53 bits are exact both ways") {
    const EntityId big = 9007199254740993;
    VersionedSite site(rows(json::array({json{{"type", "Shot"}, {"id", big}}})));
    const auto row = PluginSite(*site.client).find_one("Shot", field("id").is(big));
    CHECK(row["id"] == big);
    CHECK(site.calls().at(0).body.find("9007199254740993") != std::string::npos);
}

TEST_CASE("sums over rows that nothing can satisfy are asked for all the same") {
    VersionedSite site(results(json::parse(R"({"summaries": {"id": 0}, "groups": []})")));
    const auto sums = PluginSite(*site.client).summarize("Shot", field("code").in({}), {{"id"}});
    CHECK(sums["summaries"]["id"] == 0);
    CHECK(site.calls().at(0).parameters()["filters"] ==
          json::parse(R"({"logical_operator": "and", "conditions": [
              {"path": "id", "relation": "is", "values": [null]}]})"));
}

}  // namespace calls_test
