// Every way in which a site fails: how often it is asked, after which pauses, and what is said in the end.

#include <algorithm>
#include <cstdlib>

#include "catch.hpp"
#include "fixture.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;
using sandbox::Fault;

namespace {

/// A client on a clock that stands still, but for the pauses of the client, which it is given at once.
struct Patient {
    explicit Patient(const std::string& url, std::uint32_t attempts = 4) {
        auto settings = quick(url);
        settings.backoff = {10ms, 1000ms, 4000ms};
        settings.attempts = attempts;
        client = make_client(std::move(settings), clock, log);
    }
    /// What comes of `call`, and the pauses before each further attempt.
    template <class Call>
    Failure run(Call call) {
        Failure failure;
        std::atomic<bool> done{false};
        std::jthread caller([&] {
            failure = failure_of(call(*client));
            done = true;
        });
        std::size_t seen = 0;
        wait_for([&] {
            const auto lines = log.lines();
            for (std::size_t n = 0; seen < lines.size(); ++seen, ++n) {
                const auto at = lines[seen].text.find("wait_ms=");
                if (at == std::string::npos) continue;
                pauses.push_back(std::stoi(lines[seen].text.substr(at + 8)));
                clock.advance(std::chrono::milliseconds(pauses.back()));
            }
            return done.load();
        });
        return failure;
    }

    ManualClock clock;
    CaptureLog log;
    std::unique_ptr<site::Client> client;
    std::vector<int> pauses;
};

auto reading = [](site::Client& client) {
    site::FindRequest shots;
    shots.query.type = "Shot";
    return client.find(shots, as(sandbox::Site::script, sandbox::Site::key));
};
auto writing = [](site::Client& client) {
    return client.remove("Shot", 1, as(sandbox::Site::script, sandbox::Site::key));
};

struct Row {
    const char* what;
    Fault fault;
    Cause cause;
    int status;
    std::uint64_t reads, writes;  // how often the site is asked by four attempts
};

std::vector<Row> table() {
    return {
        {"bad request", Fault::status(400), Cause::bad_request, 400, 1, 1},
        {"unknown credential", Fault::status(401), Cause::authentication, 401, 1, 1},
        {"forbidden", Fault::status(403), Cause::permission, 403, 1, 1},
        {"not found", Fault::status(404), Cause::bad_request, 404, 1, 1},
        {"took too long", Fault::status(408), Cause::timed_out, 408, 4, 1},
        {"too many requests", Fault::status(429), Cause::busy, 429, 4, 1},
        {"broken", Fault::status(500), Cause::bad_answer, 500, 1, 1},
        {"bad gateway", Fault::status(502), Cause::busy, 502, 4, 1},
        {"maintenance", Fault::status(503), Cause::busy, 503, 4, 1},
        {"gateway timed out", Fault::status(504), Cause::busy, 504, 4, 1},
        {"moved", Fault::status(301), Cause::bad_request, 301, 1, 1},
        {"a page with 200", Fault::html(), Cause::bad_answer, 200, 1, 1},
        {"half of the JSON", Fault::of(sandbox::FaultKind::truncated_json), Cause::bad_answer, 200, 1, 1},
        {"more than the JSON", Fault::of(sandbox::FaultKind::invalid_json), Cause::bad_answer, 200, 1, 1},
        {"no UTF-8", Fault::body("{\"results\": \"caf\xe9\"}"), Cause::bad_answer, 200, 1, 1},
        {"nothing at all", Fault::body(""), Cause::bad_answer, 200, 1, 1},
        {"cut in the body", Fault::cut_in_body(), Cause::network, 0, 4, 1},
        {"closed", Fault::close(), Cause::network, 0, 4, 1},
    };
}

bool contains_text(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each fault is met so often and no more, by reads and by writes, and keeps its class to the end") {
    for (const auto& row : table()) {
        for (const bool write : {false, true}) {
            INFO(row.what << (write ? ", writing" : ", reading"));
            sandbox::Site site;
            Patient patient(site.url());
            const auto* const method = write ? "delete" : "read";
            const auto fault = site.inject(row.fault.until_cleared().on(method));
            const auto failure = write ? patient.run(writing) : patient.run(reading);
            INFO(failure.message);
            CHECK(failure.cause == row.cause);
            CHECK(failure.http_status == row.status);
            const auto expected = write ? row.writes : row.reads;
            CHECK(site.met(fault) == expected);
            REQUIRE(patient.pauses.size() == expected - 1);
            // Each between half of a ceiling and the whole of it: 1 s, 2 s, 4 s.
            for (std::size_t i = 0; i < patient.pauses.size(); ++i)
                CHECK((patient.pauses[i] >= (500 << i) && patient.pauses[i] <= (1000 << i)));
            CHECK(contains_text(failure.message, "attempt 4 of 4") == (expected == 4));
            CHECK_FALSE(contains_text(failure.message + patient.log.all(), sandbox::Site::key));
        }
    }
}

TEST_CASE("a site that asks for a pause by date gets it") {
    char date[64];
    const auto when = std::time(nullptr) + 30;
    std::tm parts{};
    std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", ::gmtime_r(&when, &parts));
    sandbox::Site site;
    Patient patient(site.url());
    site.inject(Fault::status(503).on("read").retry_after(date));
    CHECK(patient.run(reading).site_code == -1);
    REQUIRE(patient.pauses.size() == 1);
    CHECK((patient.pauses[0] > 15'000 && patient.pauses[0] <= 30'000));
}

TEST_CASE("a compressed answer that is cut or damaged is a failure and never half an answer") {
    sandbox::Site site;
    Patient cut(site.url(), 1);
    auto fault = Fault::cut_in_body();
    fault.gzip = true;
    site.inject(fault.on("read"));
    CHECK(cut.run(reading).cause == Cause::network);

    RawServer server([](const RawRequest&, RawPeer& peer) {
        peer.send(http("\x1f\x8b\x08 nonsense", 200, "Content-Encoding: gzip\r\n"));
    });
    Patient damaged(server.url(), 4);
    CHECK(damaged.run(reading).cause == Cause::bad_answer);
    CHECK(server.count() == 1);
}

TEST_CASE("hosts that the environment excepts are reached without its proxy, others through it") {
    RawServer proxy([](const RawRequest& request, RawPeer& peer) {
        if (request.head.starts_with("CONNECT ")) return peer.send("HTTP/1.1 200 OK\r\n\r\n");
        peer.send(results(false));
    });
    RawServer server([](const RawRequest&, RawPeer& peer) { peer.send(results(true)); });
    ::setenv("http_proxy", ("http://joe:hunter2@127.0.0.1:" + std::to_string(proxy.port())).c_str(), 1);
    SystemClock clock;
    CaptureLog log;
    auto settings = quick(server.url());
    settings.proxy_from_environment = true;
    const auto direct = [&](const char* excepted) {
        ::setenv("no_proxy", excepted, 1);
        return make_client(settings, clock, log)->remove("Shot", 1, as("relay")).value();
    };
    CHECK(direct("127.0.0.1"));
    CHECK(direct("example.com,127.0.0.1"));
    CHECK_FALSE(direct("example.com"));
    CHECK(proxy.requests().back().header("proxy-authorization") == "Basic am9lOmh1bnRlcjI=");
    ::unsetenv("http_proxy");
    ::unsetenv("no_proxy");
}

TEST_CASE("files take the proxy too, with its login, and their storage never sees it") {
    const std::string bytes = "the bytes";
    RawServer proxy([&](const RawRequest& request, RawPeer& peer) {
        if (request.head.starts_with("CONNECT ")) return peer.send("HTTP/1.1 200 OK\r\n\r\n");
        if (request.head.starts_with("POST")) return peer.send(results({{"session_id", "t"}}));
        if (request.head.starts_with("GET /file_serve"))
            return peer.send(http("", 302, "Location: http://storage.example.com/key\r\n"));
        peer.send(http(bytes, 200, "", "image/png"));
    });
    SystemClock clock;
    CaptureLog log;
    TempDir dir;
    auto settings = quick("http://studio.example.com");  // only the proxy could know where that is
    settings.proxy = "joe:hunter2@127.0.0.1:" + std::to_string(proxy.port());
    const auto done = make_client(settings, clock, log)->download({7, dir / "got", {}}, as("relay"));
    INFO(failure_of(done).message);
    CHECK(done);
    std::vector<std::string> tunnels;
    for (const auto& request : proxy.requests()) {
        const bool tunnel = request.head.starts_with("CONNECT ");
        if (tunnel) tunnels.push_back(request.head.substr(8, request.head.find(' ', 8) - 8));
        CHECK(request.header("proxy-authorization").empty() != tunnel);
    }
    CHECK(tunnels == std::vector<std::string>{"studio.example.com:80", "storage.example.com:80"});
}

TEST_CASE("a key that a form endpoint repeats is struck out") {
    const std::string key = GENERATE("0123abcd-secret", "se\"cr#et%\xc3\xbc");
    TestSite site([&](const RawRequest& request, RawPeer& peer) {
        const bool info = request.head.starts_with("POST /api3");
        peer.send(info ? http(R"({"version": [8, 62, 0]})")
                       : http("0\nno such key: " + key + "\n", 200, "", "text/plain"));
    });
    const auto failure =
        failure_of(site.client->share_thumbnail({{{"Shot", 1}}, {"Shot", 2}, false}, as("relay", key)));
    INFO(failure.message);
    CHECK(failure.cause == Cause::bad_request);
    CHECK(contains_text(failure.message, "no such key: ***"));
    CHECK_FALSE(contains_text(failure.message, "secret"));
    CHECK_FALSE(contains_text(failure.message, "cr#et"));
}
