// What the site refuses, and what stands between it and us.

#include <cstdlib>

#include "catch.hpp"
#include "fixture.hpp"
#include "wait_for.hpp"

namespace fault_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

RawServer::Handler always(std::string answer) {
    return [answer = std::move(answer)](const RawRequest&, RawPeer& peer) { peer.send(answer); };
}

site::FindRequest shots() {
    site::FindRequest request;
    request.query.type = "Shot";
    return request;
}

site::ReadRequest events() {
    site::ReadRequest request;
    request.query.type = "EventLogEntry";
    return request;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the site's faults keep their text and code, each with its cause, and are not retried") {
    struct Row {
        const char* body;
        Cause cause;
        int code;
        const char* text;
    };
    const auto row = GENERATE(
        Row{R"({"exception": true, "message": "Can't authenticate script 'event_relay'", "error_code": 102})",
            Cause::authentication, 102, "Can't authenticate script 'event_relay'"},
        Row{R"({"exception": true, "message": "two factors", "error_code": 106})", Cause::authentication, 106,
            "two factors"},
        Row{R"({"exception": true, "message": "sso", "error_code": 108})", Cause::authentication, 108, "sso"},
        Row{R"({"exception": true, "message": "oxygen", "error_code": 110})", Cause::authentication, 110,
            "oxygen"},
        Row{R"({"exception": true, "message": "API read() Task.code doesn't exist", "error_code": 103})",
            Cause::bad_request, 103, "API read() Task.code doesn't exist"},
        Row{R"({"exception": true, "message": "API update() CRUD ERROR #51: x. <br> ", "error_code": 104})",
            Cause::bad_request, 104, "CRUD ERROR #51: x. <br>"},
        Row{R"({"exception": 1})", Cause::bad_request, 0, "Unknown Error"},
        Row{R"({"exception": true, "message": {"a": 1}, "error_code": "104"})", Cause::bad_request, 0,
            "Unknown Error"},
        Row{R"({"exception": true, "message": "m", "error_code": -99999999999})", Cause::bad_request, 0,
            "m"});
    TestSite site(always(http(row.body)));
    INFO(row.body);
    for (const auto& failure : {failure_of(site.client->find(shots(), as("event_relay"))),
                                failure_of(site.client->read_raw(events(), as("event_relay"))),
                                failure_of(site.client->remove("Shot", 1, as("event_relay")))}) {
        CHECK(failure.cause == row.cause);
        CHECK(failure.site_code == row.code);
        CHECK(failure.http_status == 200);
        CHECK(contains(failure.message, row.text));
    }
    CHECK(site.server.count() == 3);
}

TEST_CASE("an exception that is false is none") {
    TestSite site(always(http(R"({"exception": false, "results": {"entities": []}})")));
    CHECK(site.client->find(shots(), as("relay")));
    CHECK(site.client->read_raw(events(), as("relay")));
}

TEST_CASE("C94 an answer that cannot be understood is a failure of its own kind") {
    const std::string answer =
        GENERATE(http("<html>Down for maintenance</html>", 200, "", "text/html; charset=utf-8"),
                 http(R"({"results": {"entities": [{"id": 1)"), http(""), http("nonsense"),
                 http("{\"results\": \"caf\xe9\"}"), http(R"({"results": {"entities": 7}})"),
                 http("{\"results\": " + std::string(10'000, '[') + std::string(10'000, ']') + "}"),
                 "SSH-2.0-OpenSSH_9.2\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope");
    TestSite site(always(answer));
    INFO(answer.substr(0, 200));
    const auto failure = failure_of(site.client->find(shots(), as("relay")));
    INFO(failure.message);
    CHECK(failure.cause == Cause::bad_answer);
    CHECK(site.server.count() == 1);
}

TEST_CASE("C94 the raw read refuses what is no page before the stream looks at it") {
    const std::string answer =
        GENERATE(http("<html></html>", 200, "", "text/html"), http(""), http("nonsense"));
    TestSite site(always(answer));
    CHECK(failure_of(site.client->read_raw(events(), as("relay"))).cause == Cause::bad_answer);
}

TEST_CASE("JSON is read under each of the content types it comes with") {
    TestSite site(always(http(R"({"results": true})", 200, "",
                              GENERATE("", "Application/JSON", "text/javascript; charset=utf-8"))));
    CHECK(site.client->remove("Shot", 1, as("relay")).value());
}

TEST_CASE("an HTTP error is told by its status and never read as an answer") {
    struct Row {
        int status;
        Cause cause;
    };
    const auto row =
        GENERATE(Row{301, Cause::bad_request}, Row{303, Cause::bad_request}, Row{308, Cause::bad_request},
                 Row{400, Cause::bad_request}, Row{401, Cause::authentication}, Row{403, Cause::permission},
                 Row{404, Cause::bad_request}, Row{500, Cause::bad_answer}, Row{429, Cause::busy},
                 Row{502, Cause::busy}, Row{503, Cause::busy}, Row{504, Cause::busy});
    TestSite site(always(http(R"({"exception": true, "error_code": 102, "message": "why not"})", row.status,
                              "Location: http://127.0.0.1:1/elsewhere\r\n")));
    const auto failure = failure_of(site.client->remove("Shot", 1, as("relay")));
    INFO(row.status);
    CHECK(failure.cause == row.cause);
    CHECK(failure.http_status == row.status);
    CHECK(failure.site_code == 0);
    CHECK(contains(failure.message, std::to_string(row.status)));
    CHECK(contains(failure.message, "why not") == (row.status == 403));
    CHECK(site.server.count() == 1);  // neither repeated nor redirected
}

TEST_CASE("a read is tried again while the trouble may pass, a write never") {
    const int status = GENERATE(429, 502, 503, 504);
    TestSite site([&, n = 0](const RawRequest&, RawPeer& peer) mutable {
        peer.send(++n % 3 == 0 ? rows(json::array()) : http("busy", status, "", "text/plain"));
    });
    CHECK(site.client->find(shots(), as("relay")));
    CHECK(site.server.count() == 3);
    CHECK(site.log.count("[SITE-RETRY]") == 2);
    CHECK(failure_of(site.client->create("Shot", json::object(), {}, as("relay"))).http_status == status);
    CHECK(site.server.count() == 4);
}

TEST_CASE("attempts end, and a caller may ask for one only") {
    TestSite site(always(http("busy", 503)), [](site::Settings& settings) { settings.attempts = 4; });
    auto options = as("relay");
    CHECK(failure_of(site.client->find(shots(), options)).cause == Cause::busy);
    CHECK(site.server.count() == 4);
    options.attempts = 1;
    CHECK(failure_of(site.client->read_raw(events(), options)).cause == Cause::busy);
    CHECK(site.server.count() == 5);
}

TEST_CASE("C92 Retry-After is waited for, by the clock of the process") {
    const int status = GENERATE(429, 503);
    ManualClock clock;
    CaptureLog log;
    const auto start = clock.now();
    std::mutex mutex;
    std::vector<Clock::Duration> at;
    RawServer server([&](const RawRequest&, RawPeer& peer) {
        std::lock_guard lock(mutex);
        at.push_back(clock.now() - start);
        peer.send(at.size() == 1 ? http("later", status, "Retry-After: 3\r\n") : rows(json::array()));
    });
    const auto client = make_client(quick(server.url()), clock, log);
    Result<json> found = fail(Cause::internal, "never ran");
    std::jthread caller([&] { found = client->find(shots(), as("relay")); });
    REQUIRE(wait_for([&] { return log.count("[SITE-RETRY]") == 1; }));
    clock.advance(2900ms);
    CHECK_FALSE(wait_for([&] { return server.count() > 1; }, 50ms));
    clock.advance(100ms);
    caller.join();
    CHECK(found);
    REQUIRE(at.size() == 2);
    CHECK(at[1] == 3s);
}

TEST_CASE("a site that asks for a longer pause than is sensible gets its failure handed on") {
    TestSite site(always(http("tomorrow", 503, "Retry-After: 86400\r\n")));
    const auto failure = failure_of(site.client->find(shots(), as("relay")));
    CHECK(failure.cause == Cause::busy);
    CHECK(failure.retry_after == 86400s);
    CHECK(site.server.count() == 1);
}

TEST_CASE("pauses between attempts grow") {
    TestSite site(always(http("busy", 503)), [](site::Settings& settings) {
        settings.attempts = 5;
        settings.backoff = {2ms, 4ms, 16ms};
    });
    CHECK_FALSE(site.client->find(shots(), as("relay")));
    std::vector<int> pauses;
    for (const auto& line : site.log.lines())
        if (const auto found = line.text.find("wait_ms="); found != std::string::npos)
            pauses.push_back(std::stoi(line.text.substr(found + 8)));
    REQUIRE(pauses.size() == 4);
    CHECK((pauses[0] >= 2 && pauses[0] <= 4));
    CHECK((pauses[1] >= 4 && pauses[1] <= 8));
    CHECK((pauses[2] >= 8 && pauses[2] <= 16));
    CHECK((pauses[3] >= 8 && pauses[3] <= 16));
}

TEST_CASE("a compressed answer is read, and one that unpacks beyond measure is not") {
    // 100,000 blanks around `{"results":true}`, deflated.
    const std::string packed = std::string(
        "\037\213\010\000\000\000\000\000\002\003\355\320\061\015\000\040\014\000\060\053\013\062\360\303\307"
        "\305\306\105\360\216\017\322\112\150\004\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
        "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
        "\000\000\000\000\000\000\000\000\077\071\155\215\334\263\262\365\132\173\134\043\000\000\000\000\000"
        "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
        "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\177\171\126\161\262\334\260"
        "\206\001\000",
        153);
    const std::string answer = http(packed, 200, "Content-Encoding: gzip\r\n");
    TestSite roomy(always(answer));
    CHECK(roomy.client->remove("Shot", 1, as("relay")).value());
    TestSite narrow(always(answer), [](site::Settings& settings) { settings.limits.answer_bytes = 50'000; });
    const auto failure = failure_of(narrow.client->remove("Shot", 1, as("relay")));
    CHECK(failure.cause == Cause::bad_answer);
    CHECK(contains(failure.message, "50000"));
}

TEST_CASE("an answer declared too large is refused without reading it") {
    TestSite site(always("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{"));
    CHECK(failure_of(site.client->find(shots(), as("relay"))).cause == Cause::bad_answer);
}

TEST_CASE("no message and no log line holds a key or password, whoever repeats it") {
    const std::string key = GENERATE("0123abcd-secret", "se\"cr#et%\xc3\xbc");
    const std::string place = GENERATE("fault", "forbidden", "busy", "html");
    TestSite site([&](const RawRequest& request, RawPeer& peer) {
        const auto echo = request.auth().dump() + " " + request.auth()["script_key"].get<std::string>();
        if (place == "fault")
            peer.send(http(json{{"exception", true}, {"message", echo}, {"error_code", 103}}.dump()));
        if (place == "forbidden") peer.send(http("<p>" + echo + "</p>", 403, "", "text/html"));
        if (place == "busy") peer.send(http(echo, 503));
        if (place == "html") peer.send(http(echo, 200, "", "text/html; k=" + key));
    });
    const auto failure = failure_of(site.client->find(shots(), as("relay", key)));
    INFO(failure.message);
    for (const auto& secret : {key, json(key).dump(), std::string("secret"), std::string("cr#et")}) {
        CHECK_FALSE(contains(failure.message, secret));
        CHECK_FALSE(contains(site.log.all(), secret));
    }
    if (place == "fault" || place == "forbidden") CHECK(contains(failure.message, "***"));
}

TEST_CASE("passwords of base URL and proxy stay out of the failure when neither can be reached") {
    SystemClock clock;
    CaptureLog log;
    auto settings = quick("http://joe:hunter2@127.0.0.1:1");
    if (GENERATE(false, true)) settings.proxy = "joe:hunter2@127.0.0.1:1";
    settings.attempts = 2;
    const auto client = make_client(settings, clock, log);
    const auto failure = failure_of(client->find(shots(), as("relay")));
    INFO(failure.message);
    CHECK(failure.cause == Cause::network);
    CHECK_FALSE(contains(failure.message + log.all(), "hunter2"));
}

TEST_CASE("a proxy is asked for a tunnel, with its login, and the site gets the rest") {
    RawServer proxy([](const RawRequest& request, RawPeer& peer) {
        if (request.head.starts_with("CONNECT "))
            peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
        else
            peer.send(results(true));
    });
    SystemClock clock;
    CaptureLog log;
    auto settings = quick("http://studio.example.com");  // only the proxy could know where that is
    settings.proxy = "jo@e:p:w@127.0.0.1:" + std::to_string(proxy.port());
    const auto client = make_client(settings, clock, log);
    CHECK(client->remove("Shot", 1, as("relay")).value());
    CHECK(client->remove("Shot", 1, as("relay")).value());
    const auto seen = proxy.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].head.starts_with("CONNECT studio.example.com:80 HTTP/1.1\r\n"));
    CHECK(seen[0].header("proxy-authorization") == "Basic am9AZTpwOnc=");
    CHECK(seen[1].head.starts_with("POST /api3/json HTTP/1.1\r\n"));
    CHECK(seen[1].header("proxy-authorization").empty());
}

TEST_CASE("a proxy that refuses is a network failure that names its status") {
    RawServer proxy(always("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"));
    SystemClock clock;
    CaptureLog log;
    auto settings = quick("http://studio.example.com");
    settings.proxy = "127.0.0.1:" + std::to_string(proxy.port());
    settings.attempts = 1;
    const auto failure = failure_of(make_client(settings, clock, log)->find(shots(), as("relay")));
    INFO(failure.message);
    CHECK(failure.cause == Cause::network);
    CHECK(contains(failure.message, "407"));
    CHECK(contains(failure.message, "through the proxy " + settings.proxy));
}

TEST_CASE("proxies of the environment are obeyed only where that was asked for") {
    RawServer proxy(always(results(false)));
    RawServer server(always(results(true)));
    ::setenv("http_proxy", proxy.url().c_str(), 1);
    ::setenv("no_proxy", "", 1);
    SystemClock clock;
    CaptureLog log;
    auto settings = quick(server.url());
    CHECK(make_client(settings, clock, log)->remove("Shot", 1, as("relay")).value());
    settings.proxy_from_environment = true;
    CHECK_FALSE(make_client(settings, clock, log)->remove("Shot", 1, as("relay")).value());
    ::setenv("no_proxy", "*", 1);
    settings.proxy_from_environment = false;
    settings.proxy = "127.0.0.1:1";
    settings.attempts = 1;
    CHECK_FALSE(make_client(settings, clock, log)->remove("Shot", 1, as("relay")));  // no_proxy does not help
    ::unsetenv("http_proxy");
    ::unsetenv("no_proxy");
}

TEST_CASE("a CA file that cannot be read is said by name") {
    SystemClock clock;
    CaptureLog log;
    RawServer server(always("nothing that speaks TLS"));
    auto settings = quick("https://127.0.0.1:" + std::to_string(server.port()));
    settings.ca_file = "/nonexistent/ca.pem";
    settings.attempts = 1;
    const auto failure = failure_of(make_client(settings, clock, log)->find(shots(), as("relay")));
    INFO(failure.message);
    CHECK(failure.cause == Cause::network);
    CHECK(contains(failure.message, "/nonexistent/ca.pem"));
}

}  // namespace fault_test
