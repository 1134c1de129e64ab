// The bodies that leave, beside the examples of the protocol; and what answers become.

#include "catch.hpp"
#include "fixture.hpp"

namespace wire_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

const json demo_project = {{"type", "Project"}, {"id", 70}};

/// Answers everything alike.
RawServer::Handler always(std::string answer) {
    return [answer = std::move(answer)](const RawRequest&, RawPeer& peer) { peer.send(answer); };
}

}  // namespace

TEST_CASE("a complete exchange is the one the protocol shows") {
    TestSite site(always(
        rows(json::parse(R"([{"type": "Shot", "id": 862, "code": "sh010", "sg_status_list": "ip"}])"),
             json::parse(R"({"current_page": 1, "entities_per_page": 500, "has_next_page": false})"))));
    site::FindRequest request;
    request.query.type = "Shot";
    request.query.filters = json::array({json::array({"project", "is", demo_project})});
    request.query.fields = {"code", "sg_status_list"};
    const auto found = site.client->find(request, as("event_relay", "0123abcd"));
    REQUIRE(found);
    CHECK(*found == json::parse(R"([{"type": "Shot", "id": 862, "code": "sh010", "sg_status_list": "ip"}])"));

    const auto sent = site.server.requests().at(0);
    CHECK(sent.json() == json::parse(R"({"method_name": "read", "params": [
        {"script_name": "event_relay", "script_key": "0123abcd"},
        {"type": "Shot", "return_fields": ["code", "sg_status_list"],
         "filters": {"logical_operator": "and",
                     "conditions": [{"path": "project", "relation": "is", "values": [{"type": "Project", "id": 70}]}]},
         "return_only": "active", "paging": {"entities_per_page": 500, "current_page": 1},
         "api_return_image_urls": true, "return_paging_info_without_counts": true}]})"));
    CHECK(sent.head.starts_with("POST /api3/json HTTP/1.1\r\n"));
    CHECK(sent.header("content-type") == "application/json; charset=utf-8");
    CHECK(sent.header("user-agent") == "sgeventd/" SG_TEST_VERSION);
    CHECK(sent.header("accept-encoding") == "gzip, deflate");
    CHECK(sent.header("content-length") == std::to_string(sent.body.size()));
    for (const char* absent : {"accept", "expect", "cookie", "authorization", "transfer-encoding"})
        CHECK(sent.header(absent).empty());
}

TEST_CASE("a read with everything set is the one the protocol shows") {
    TestSite site([](const RawRequest& request, RawPeer& peer) {
        peer.send(request.method() == "info" ? http(R"({"version": [8, 62, 0]})") : rows(json::array()));
    });
    site::FindRequest request;
    request.query.type = "Task";
    request.query.filters = json::array({json::array({"project", "is", demo_project})});
    request.query.fields = {"content", "sg_status_list", "entity", "entity.Shot.code"};
    request.query.order = json::array({json{{"field_name", "id"}, {"direction", "asc"}}});
    request.query.include_archived_projects = false;
    request.query.additional_filter_presets =
        json::array({json{{"preset_name", "LATEST"}, {"latest_by", "ENTITIES_CREATED_AT"}}});
    request.page = 1;
    REQUIRE(site.client->find(request, as("relay")));
    CHECK(site.server.requests().at(1).parameters() == json::parse(R"({"type": "Task",
        "return_fields": ["content", "sg_status_list", "entity", "entity.Shot.code"],
        "filters": {"logical_operator": "and", "conditions": [
            {"path": "project", "relation": "is", "values": [{"type": "Project", "id": 70}]}]},
        "return_only": "active", "paging": {"entities_per_page": 500, "current_page": 1},
        "additional_filter_presets": [{"preset_name": "LATEST", "latest_by": "ENTITIES_CREATED_AT"}],
        "include_archived_projects": false, "sorts": [{"field_name": "id", "direction": "asc"}],
        "api_return_image_urls": true, "return_paging_info_without_counts": false})"));
}

TEST_CASE("the event poll is the one the protocol shows, and hands on the bytes and the site's time") {
    const std::string body =
        R"({"results": {"entities": [{"id": 4044184}], "big": 123456789012345678901234567890}} )";
    TestSite site(always(http(body, 200, "Date: Wed, 04 Mar 2026 05:06:07 GMT\r\n")));
    site::ReadRequest request;
    request.query.type = "EventLogEntry";
    request.query.filters = json::array({json::array({"id", "greater_than", 4044183})});
    request.query.fields = {"id",   "event_type", "attribute_name", "meta",      "entity",
                            "user", "project",    "session_uuid",   "created_at"};
    request.query.order = json::array({json{{"field_name", "id"}, {"direction", "asc"}}});
    const auto answer = site.client->read_raw(request, as("relay"));
    REQUIRE(answer);
    CHECK(answer->body == body);
    REQUIRE(answer->date);
    CHECK(std::chrono::system_clock::to_time_t(*answer->date) == 1772600767);
    CHECK(site.server.requests().at(0).parameters() == json::parse(R"({"type": "EventLogEntry",
        "return_fields": ["id", "event_type", "attribute_name", "meta", "entity", "user", "project", "session_uuid", "created_at"],
        "filters": {"logical_operator": "and", "conditions": [{"path": "id", "relation": "greater_than", "values": [4044183]}]},
        "return_only": "active", "paging": {"entities_per_page": 500, "current_page": 1},
        "sorts": [{"field_name": "id", "direction": "asc"}],
        "api_return_image_urls": true, "return_paging_info_without_counts": false})"));
}

TEST_CASE("create, update and delete are the ones the protocol shows") {
    TestSite site([](const RawRequest& request, RawPeer& peer) {
        if (request.method() == "create")
            peer.send(results(json::parse(R"([{"type": "Shot", "id": 863, "code": "sh020"}])")));
        else if (request.method() == "update")
            peer.send(results(json::parse(R"({"type": "Shot", "id": 863, "sg_status_list": "ip"})")));
        else
            peer.send(results(true));
    });
    const auto made = site.client->create(
        "Shot",
        json::parse(
            R"({"code": "sh020", "project": {"type": "Project", "id": 70}, "assets": [{"type": "Asset", "id": 12}], "image": null})"),
        {"id", "created_at"}, as("relay"));
    REQUIRE(made);
    CHECK(*made == json::parse(R"({"type": "Shot", "id": 863, "code": "sh020"})"));  // out of its list

    const auto changed = site.client->update(
        "Shot", 863,
        json::parse(
            R"({"sg_status_list": "ip", "assets": [{"type": "Asset", "id": 13, "code": "left out"}], "image": null})"),
        json{{"assets", "add"}}, as("relay"));
    REQUIRE(changed);
    CHECK(*changed == json::parse(R"({"type": "Shot", "id": 863, "sg_status_list": "ip"})"));
    const auto gone = site.client->remove("Shot", 863, as("relay"));
    REQUIRE(gone);
    CHECK(*gone);

    const auto sent = site.server.requests();
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].parameters() == json::parse(R"({"type": "Shot",
        "fields": [{"field_name": "assets", "value": [{"type": "Asset", "id": 12}]}, {"field_name": "code", "value": "sh020"},
                   {"field_name": "project", "value": {"type": "Project", "id": 70}}],
        "return_fields": ["id", "created_at"]})"));
    CHECK(sent[1].parameters() == json::parse(R"({"type": "Shot", "id": 863,
        "fields": [{"field_name": "assets", "value": [{"type": "Asset", "id": 13}], "multi_entity_update_mode": "add"},
                   {"field_name": "image", "value": null}, {"field_name": "sg_status_list", "value": "ip"}]})"));
    CHECK(sent[2].json() == json::parse(R"({"method_name": "delete", "params": [
        {"script_name": "relay", "script_key": "k3y-of-relay"}, {"type": "Shot", "id": 863}]})"));
}

TEST_CASE("what needs no request sends none") {
    TestSite site(always(results(true)));
    const auto same = site.client->update("Shot", 863, json::object(), nullptr, as("relay"));
    REQUIRE(same);
    CHECK(*same == json::parse(R"({"type": "Shot", "id": 863})"));
    site::FindRequest none;
    none.query.type = "Shot";
    none.query.filters = json::parse(R"([["id", "in", []]])");
    CHECK(site.client->find(none, as("relay")).value() == json::array());
    CHECK(site.client->find_one(none.query, as("relay")).value().is_null());
    CHECK(site.server.connections() == 0);
}

TEST_CASE("what makes no sense is refused before anything is sent") {
    TestSite site(always(results(true)));
    const auto cause = [](const auto& result) { return failure_of(result).cause; };
    const auto relay = as("relay");
    site::FindRequest request;
    CHECK(cause(site.client->find(request, relay)) == Cause::invalid);  // no type
    request.query.type = "Shot";
    request.limit = -1;
    CHECK(cause(site.client->find(request, relay)) == Cause::invalid);
    request.limit = 0;
    request.query.order = json::array({json{{"field_name", "id"}, {"direction", "up"}}});
    CHECK(cause(site.client->find(request, relay)) == Cause::invalid);
    CHECK(cause(site.client->create("Shot", json::array(), {}, relay)) == Cause::invalid);
    CHECK(cause(site.client->create("Shot", json{{"code", "caf\xe9"}}, {}, relay)) == Cause::invalid);
    CHECK(cause(site.client->create("Shot", json{{"image", "/a/file"}}, {}, relay)) == Cause::not_supported);
    CHECK(cause(site.client->update("Shot", 1, json{{"image", "/a/file"}}, nullptr, relay)) ==
          Cause::not_supported);
    CHECK(cause(site.client->update("Shot", 1, json{{"a", 1}}, json{{"a", "plus"}}, relay)) ==
          Cause::invalid);
    CHECK(cause(site.client->remove("", 1, relay)) == Cause::invalid);
    CHECK(cause(site.client->remove("Shot", 1, as(""))) == Cause::authentication);
    CHECK(cause(site.client->remove("Shot", 1, as("relay", ""))) == Cause::authentication);
    CHECK(site.server.connections() == 0);
}

TEST_CASE("info asks as nobody and may come bare or wrapped") {
    const auto body = json::parse(R"({"version": [8, 62, 0]})");
    TestSite site(always(GENERATE_COPY(http(body.dump()), results(body))));
    CHECK(site.client->info({}).value() == body);
    CHECK(site.server.requests().at(0).json() == json::parse(R"({"method_name": "info", "params": []})"));
}

TEST_CASE("session and sudo go with one call and with no other") {
    TestSite site([](const RawRequest& request, RawPeer& peer) {
        peer.send(request.method() == "info" ? http(R"({"version": [8, 62, 0]})") : results(true));
    });
    auto options = as("event_relay", "0123abcd");
    options.session_uuid = "5a1d49b0-0c69-11e0-a24c-003048d17544";
    options.sudo_as_login = "rhea";
    REQUIRE(site.client->remove("Shot", 1, options));
    REQUIRE(site.client->remove("Shot", 2, as("event_relay", "0123abcd")));
    REQUIRE(site.server.count() == 3);
    CHECK(site.server.requests().at(0).method() == "info");
    CHECK(site.server.requests().at(1).auth() ==
          json::parse(R"({"script_name": "event_relay", "script_key": "0123abcd",
        "session_uuid": "5a1d49b0-0c69-11e0-a24c-003048d17544", "sudo_as_login": "rhea"})"));
    CHECK(site.server.requests().at(2).auth() ==
          json::parse(R"({"script_name": "event_relay", "script_key": "0123abcd"})"));
}

TEST_CASE("C126 a key reaches the site verbatim, whatever stands in it") {
    TestSite site(always(results(true)));
    const std::string key =
        GENERATE("100%25 of it%", "#a:b#", "it's \"quoted\" \\ so", " blanks  around ",
                 "schl\xc3\xbcssel \xe2\x9c\x93 \xf0\x9f\x94\x91", "a/b?c=d&e+f", "{\"x\": 1}");
    REQUIRE(site.client->remove("Shot", 1, as("event relay: \xc3\xbc#%", key)));
    const auto sent = site.server.requests().at(0);
    CHECK(sent.auth()["script_key"] == key);
    CHECK(sent.auth()["script_name"] == "event relay: \xc3\xbc#%");
}

TEST_CASE("user and password of the base URL go as Basic authentication") {
    RawServer server(always(results(true)));
    SystemClock clock;
    CaptureLog log;
    const auto client =
        make_client(quick("http://jo%40e:p%3Aw@127.0.0.1:" + std::to_string(server.port())), clock, log);
    REQUIRE(client->remove("Shot", 1, as("relay")));
    CHECK(server.requests().at(0).header("authorization") == "Basic am9AZTpwOnc=");
}

namespace {

/// Serves `total` rows in pages, telling what it must in the given way.
RawServer::Handler pages(int total, std::string way) {
    return [=](const RawRequest& request, RawPeer& peer) {
        const auto paging = request.parameters()["paging"];
        const int size = paging["entities_per_page"].get<int>(), page = paging["current_page"].get<int>();
        auto list = json::array();
        for (int id = (page - 1) * size + 1; id <= std::min(total, page * size); ++id)
            list.push_back({{"type", "Shot"}, {"id", id}});
        json info;
        if (way == "new") info = {{"has_next_page", page * size < total}};
        if (way == "old") info = {{"entity_count", total}, {"current_page", page}};
        if (way == "lying") info = {{"has_next_page", true}};
        peer.send(rows(list, info));
    };
}

}  // namespace

TEST_CASE("find collects all pages, in whichever way the site tells that there are more") {
    const std::string way = GENERATE("new", "old", "silent", "lying");
    const auto [total, limit, expected] = GENERATE(table<int, int, std::size_t>(
        {{0, 0, 0}, {7, 0, 7}, {10, 0, 10}, {25, 0, 25}, {25, 12, 12}, {25, 40, 25}, {25, 20, 20}}));
    TestSite site(pages(total, way), [](site::Settings& settings) { settings.page_size = 10; });
    site::FindRequest request;
    request.query.type = "Shot";
    request.limit = limit;
    const auto found = site.client->find(request, as("relay"));
    INFO(way << " " << total << " " << limit);
    REQUIRE(found);
    REQUIRE(found->size() == expected);
    for (std::size_t i = 0; i < expected; ++i) CHECK((*found)[i]["id"] == i + 1);
    CHECK(site.server.count() <= expected / 10 + 2);
    for (const auto& sent : site.server.requests()) {
        CHECK(sent.parameters()["paging"]["entities_per_page"] == 10);
        CHECK(sent.parameters()["return_paging_info_without_counts"] == true);
    }
}

TEST_CASE("a limit within one page and a page of its own are one request each") {
    TestSite site(pages(25, "new"), [](site::Settings& settings) { settings.page_size = 10; });
    site::FindRequest request;
    request.query.type = "Shot";
    request.limit = 4;
    CHECK(site.client->find(request, as("relay")).value().size() == 4);
    CHECK(site.client->find_one(request.query, as("relay")).value()["id"] == 1);
    request.limit = 0;
    request.page = 2;
    CHECK(site.client->find(request, as("relay")).value().at(0)["id"] == 11);
    const auto sent = site.server.requests();
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].parameters()["paging"] == json::parse(R"({"entities_per_page": 4, "current_page": 1})"));
    CHECK(sent[1].parameters()["paging"] == json::parse(R"({"entities_per_page": 1, "current_page": 1})"));
    CHECK(sent[2].parameters()["paging"] == json::parse(R"({"entities_per_page": 10, "current_page": 2})"));
    for (const auto& each : sent) CHECK(each.parameters()["return_paging_info_without_counts"] == false);
}

TEST_CASE("more rows than memory is allowed for end the find, not the process") {
    TestSite site(pages(1000, "new"), [](site::Settings& settings) {
        settings.page_size = 10;
        settings.limits.rows_bytes = 2000;
    });
    site::FindRequest request;
    request.query.type = "Shot";
    CHECK(failure_of(site.client->find(request, as("relay"))).cause == Cause::invalid);
    CHECK(site.server.count() < 20);
}

TEST_CASE("ids of 64 bits come through exactly") {
    TestSite site(always(rows(json::parse(R"([{"type": "EventLogEntry", "id": 9007199254740993}])"))));
    site::Query query;
    query.type = "EventLogEntry";
    query.filters = json::array({json::array({"id", "is", std::int64_t{9007199254740993}})});
    CHECK(site.client->find_one(query, as("relay")).value()["id"] == std::int64_t{9007199254740993});
    CHECK(site.server.requests().at(0).body.find("[9007199254740993]") != std::string::npos);
}

}  // namespace wire_test
