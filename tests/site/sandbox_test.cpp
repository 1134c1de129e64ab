// The client against a site that shares none of its code.

#include <atomic>
#include <map>

#include "catch.hpp"
#include "fixture.hpp"
#include "sandbox/site.hpp"
#include "service/site_requests.hpp"
#include "wait_for.hpp"

namespace sandbox_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;
using sandbox::Fault;

namespace {

struct Studio {
    Studio() : Studio([](site::Settings&) {}) {}
    template <class Change>
    explicit Studio(Change change) {
        auto settings = quick(site.url());
        change(settings);
        client = make_client(std::move(settings), clock, log);
        project = site.add("Project", {{"name", "Demo"}});
    }
    site::CallOptions script() const { return as(sandbox::Site::script, sandbox::Site::key); }
    json link() const { return {{"type", "Project"}, {"id", project}}; }

    sandbox::Site site;
    SystemClock clock;
    CaptureLog log;
    std::unique_ptr<site::Client> client;
    sandbox::Id project = 0;
};

site::FindRequest shots() {
    site::FindRequest request;
    request.query.type = "Shot";
    request.query.fields = {"code"};
    return request;
}

site::ReadRequest events_after(EventId id) {
    site::ReadRequest request;
    request.query.type = "EventLogEntry";
    request.query.fields = {"event_type"};
    request.query.filters = json::array({json::array({"id", "greater_than", id})});
    request.query.order = json::array({json{{"field_name", "id"}, {"direction", "asc"}}});
    return request;
}

}  // namespace

TEST_CASE("a row is made, found, changed and retired on a site") {
    Studio studio;
    const auto script = studio.script();
    const auto made =
        studio.client->create("Shot", {{"code", "sh010"}, {"project", studio.link()}}, {"code"}, script);
    INFO(failure_of(made).message);
    REQUIRE(made);
    const auto id = made->at("id").get<EntityId>();
    CHECK(made->at("code") == "sh010");
    const auto changed = studio.client->update("Shot", id, {{"sg_status_list", "ip"}}, nullptr, script);
    INFO(failure_of(changed).message);
    REQUIRE(changed);
    CHECK(studio.site.value("Shot", id, "sg_status_list") == "ip");

    auto request = shots();
    request.query.filters =
        json::parse(R"([["code", "starts_with", "sh0"], ["sg_status_list", "in", ["ip", "rev"]]])");
    const auto found = studio.client->find(request, script);
    INFO(failure_of(found).message);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(found->at(0).at("id") == id);
    CHECK(studio.client->remove("Shot", id, script).value());
    CHECK_FALSE(studio.client->remove("Shot", id, script).value());
    CHECK(studio.client->find(request, script).value().empty());
    request.query.retired_only = true;
    CHECK(studio.client->find(request, script).value().size() == 1);
    const auto missing = failure_of(studio.client->remove("Shot", 1'000'000, script));
    CHECK(missing.cause == Cause::bad_request);
    CHECK(missing.site_code == 104);
}

TEST_CASE("more rows than a page come whole and once each") {
    Studio studio;
    for (int i = 0; i < 1200; ++i)
        studio.site.add("Shot", {{"code", "sh" + std::to_string(i)}, {"project", studio.link()}});
    const auto found = studio.client->find(shots(), studio.script());
    INFO(failure_of(found).message);
    REQUIRE(found);
    REQUIRE(found->size() == 1200);
    for (std::size_t i = 1; i < found->size(); ++i)
        CHECK(found->at(i - 1).at("id").get<EntityId>() < found->at(i).at("id").get<EntityId>());
    CHECK(studio.site.request_count("read") == 3);
}

TEST_CASE("a wrong key is the site's own fault, asked about once") {
    Studio studio;
    const auto failure = failure_of(studio.client->find(shots(), as(sandbox::Site::script, "wrong-key")));
    CHECK(failure.cause == Cause::authentication);
    CHECK(failure.site_code == 102);
    CHECK(failure.message.find("Can't authenticate script 'sandbox'") != std::string::npos);
    CHECK(failure.message.find("wrong-key") == std::string::npos);
    CHECK(studio.site.request_count() == 1);
}

TEST_CASE("C126 a site lets a script in by the very bytes of its key") {
    Studio studio;
    const std::string key =
        GENERATE("100%25%", "#a:b#", "it's \"q\" \\ so", " blanks ", "schl\xc3\xbcssel \xf0\x9f\x94\x91");
    studio.site.add_script("relay", key);
    CHECK(studio.client->find(shots(), as("relay", key)));
    CHECK(failure_of(studio.client->find(shots(), as("relay", key + "x"))).cause == Cause::authentication);
}

TEST_CASE("a page of events comes as bytes, plain or compressed") {
    Studio studio;
    const auto first = studio.site.add_events(3, "Shotgun_Shot_Change", "code");
    if (GENERATE(false, true)) studio.site.inject(Fault::gzipped());
    const auto answer = studio.client->read_raw(events_after(first), studio.script());
    INFO(failure_of(answer).message);
    REQUIRE(answer);
    const auto rows = json::parse(answer->body).at("results").at("entities");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].at("id") == first + 1);
    CHECK(answer->date);
}

TEST_CASE("a read outlives what passes on the way to a site") {
    Studio studio([](site::Settings& settings) {
        settings.limits.first_byte = settings.limits.slow_window = 200ms;
        settings.limits.slow_bytes = 1'000;
    });
    studio.site.add("Shot", {{"code", "sh010"}, {"project", studio.link()}});
    const auto kind = GENERATE(0, 1, 2, 3, 4, 5, 6);
    const Fault faults[] = {Fault::never_answer(), Fault::hang_in_body(), Fault::cut_in_body(),
                            Fault::drip(20ms),     Fault::close(),        Fault::status(503),
                            Fault::status(429)};
    INFO("fault " << kind);
    if (GENERATE(false, true))
        REQUIRE(studio.client->find(shots(), studio.script()));  // a kept-alive connection
    const auto fault = studio.site.inject(faults[kind]);
    const auto found = studio.client->find(shots(), studio.script());
    INFO(failure_of(found).message);
    REQUIRE(found);
    CHECK(found->size() == 1);
    CHECK(studio.site.met(fault) == 1);
}

TEST_CASE("C91 a connection that has gone silent costs a limit, and the next attempt a new one") {
    Studio studio([](site::Settings& settings) { settings.limits.first_byte = 200ms; });
    REQUIRE(studio.client->find(shots(), studio.script()));
    studio.site.silence_connections();
    CHECK(studio.client->find(shots(), studio.script()));
    CHECK(studio.log.count("[SITE-RETRY]") == 1);
}

TEST_CASE("a write whose answer is lost has happened once and is not made again") {
    Studio studio([](site::Settings& settings) { settings.limits.first_byte = 200ms; });
    REQUIRE(studio.client->find(shots(), studio.script()));  // a kept-alive connection
    const auto kind = GENERATE(0, 1, 2, 3);
    const Fault faults[] = {Fault::never_answer(), Fault::cut_in_body(), Fault::close(), Fault::status(502)};
    studio.site.inject(faults[kind].on("create").and_acts());
    const auto made =
        studio.client->create("Shot", {{"code", "once"}, {"project", studio.link()}}, {}, studio.script());
    INFO("fault " << kind << " " << failure_of(made).message);
    CHECK_FALSE(made);
    CHECK(is_transient(failure_of(made).cause));
    CHECK(studio.client->find(shots(), studio.script()).value().size() == 1);
    CHECK(studio.site.request_count("create") == 1);
}

TEST_CASE("C94 nonsense from a site is a failure that may pass") {
    Studio studio;
    const auto kind = GENERATE(0, 1, 2);
    const Fault faults[] = {Fault::html(), Fault::of(sandbox::FaultKind::truncated_json),
                            Fault::of(sandbox::FaultKind::invalid_json)};
    studio.site.inject(faults[kind]);
    const auto failure = failure_of(studio.client->find(shots(), studio.script()));
    INFO(failure.message);
    CHECK(failure.cause == Cause::bad_answer);
    CHECK(studio.client->find(shots(), studio.script()));
}

TEST_CASE("C45 callbacks with one credential and another plugin share no connection and interleave nothing") {
    Studio studio;
    studio.site.add_script("script_of_b", "key of b");
    service::Credentials all;
    all.named = {{"a", {site::Script{sandbox::Site::script, sandbox::Site::key}}},
                 {"b", {site::Script{"script_of_b", "key of b"}}}};
    all.plugins = {{"plugin_a", "a"}, {"plugin_b", "b"}};
    service::SiteRequestPool pool(*studio.client, all, {}, studio.log);
    CHECK(studio.site.connections() == 0);

    std::atomic<int> good{0};
    for (int event = 0; event < 50; ++event)
        for (int callback = 0; callback < 6; ++callback) {
            host::SiteRequest request;
            request.plugin = callback < 5 ? "plugin_a" : "plugin_b";
            request.method = "find";
            request.arguments = R"({"type": "Shot"})";
            pool.start(request, {}, [&](host::SiteAnswer answer) { good += answer ? 1 : 0; });
        }
    REQUIRE(wait_for([&] { return good == 300; }));
    CHECK(studio.site.request_count("read", {}, sandbox::Site::script) == 250);
    CHECK(studio.site.request_count("read", {}, "script_of_b") == 50);
    CHECK_FALSE(studio.site.saw_interleaving());
    std::map<std::uint64_t, std::string> owner;
    for (const auto& request : studio.site.requests())
        CHECK(owner.emplace(request.connection, request.script).first->second == request.script);
}

}  // namespace sandbox_test
