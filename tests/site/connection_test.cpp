// Sockets: when they are made, shared, dead, slow, and how quickly a call lets go of one.

#include <netinet/in.h>
#include <sys/socket.h>
#include <algorithm>
#include <condition_variable>
#include <map>
#include <set>

#include "catch.hpp"
#include "fixture.hpp"
#include "wait_for.hpp"

namespace connection_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

site::FindRequest shots() {
    site::FindRequest request;
    request.query.type = "Shot";
    return request;
}

site::CallOptions once(site::CallOptions options) {
    options.attempts = 1;
    return options;
}

/// Holds callers until so many have come.
class Barrier {
public:
    explicit Barrier(int size) : size_(size) {}
    void arrive() {
        std::unique_lock lock(mutex_);
        if (++here_ >= size_) all_.notify_all();
        all_.wait_for(lock, 30s, [&] { return here_ >= size_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable all_;
    const int size_;
    int here_ = 0;
};

/// Runs `call` on a thread and how long it took to end once `stop` was requested.
template <class Call, class Ready>
std::pair<Failure, std::chrono::milliseconds> stopped_call(Call call, Ready ready) {
    std::stop_source stop;
    auto options = as("relay");
    options.stop = stop.get_token();
    Failure failure;
    std::chrono::steady_clock::time_point ended;
    std::jthread caller([&] {
        failure = failure_of(call(options));
        ended = std::chrono::steady_clock::now();
    });
    ready();
    const auto asked = std::chrono::steady_clock::now();
    stop.request_stop();
    caller.join();
    return {failure, std::chrono::duration_cast<std::chrono::milliseconds>(ended - asked)};
}

}  // namespace

TEST_CASE(
    "C45 no connection is made before first use, and one is never used by two calls at once or two scripts") {
    // Two plugins, one of them with five callbacks, all calling at the same time, twice.
    const std::map<std::string, int> callers{{"script_of_a", 5}, {"script_of_b", 3}};
    Barrier first(8), second(8);
    std::atomic<int> answered{0};
    TestSite site([&](const RawRequest& request, RawPeer& peer) {
        (answered++ < 8 ? first : second).arrive();
        peer.send(
            rows(json::array({json{{"type", "Shot"}, {"id", 1}, {"for", request.auth()["script_name"]}}})));
    });
    CHECK(site.server.connections() == 0);

    std::atomic<int> right{0};
    for (int round = 0; round < 2; ++round) {
        std::vector<std::jthread> threads;
        for (const auto& [script, many] : callers)
            for (int i = 0; i < many; ++i)
                threads.emplace_back([&, script = script] {
                    const auto found = site.client->find(shots(), as(script, "key of " + script));
                    if (found && found->at(0)["for"] == script) ++right;
                });
    }
    CHECK(right == 16);
    CHECK(site.server.connections() == 8);
    std::map<std::size_t, std::set<std::string>> scripts;
    for (const auto& request : site.server.requests()) {
        CHECK_FALSE(request.more_behind);
        const auto auth = request.auth();
        CHECK(auth["script_key"] == "key of " + auth["script_name"].get<std::string>());
        scripts[request.connection].insert(auth["script_name"].get<std::string>());
    }
    for (const auto& [connection, names] : scripts) CHECK(names.size() == 1);
}

TEST_CASE("one connection is enough for calls one after another") {
    TestSite site([](const RawRequest&, RawPeer& peer) { peer.send(rows(json::array())); });
    for (int i = 0; i < 20; ++i) REQUIRE(site.client->find(shots(), as("relay")));
    CHECK(site.server.connections() == 1);
}

TEST_CASE("a connection that the site closed while idle is replaced, for reads and writes") {
    TestSite site([](const RawRequest&, RawPeer& peer) {
        peer.send(results(true));
        peer.close();
    });
    for (int i = 0; i < 5; ++i) {
        // The close has arrived before the next call begins only when the server has run that far;
        // where it has not, a write may fail, but never arrives twice.
        const auto before = site.server.count();
        const auto done = site.client->remove("Shot", i, as("relay"));
        CHECK(site.server.count() <= before + 1);
        if (!done) CHECK(done.error().cause == Cause::network);
    }
    CHECK(site.client->info({}));
    CHECK(site.client->info({}));
}

TEST_CASE("a write is not sent again when a kept-alive connection dies under it, a read is") {
    const bool reset = GENERATE(false, true);
    TestSite site([&](const RawRequest& request, RawPeer& peer) {
        const bool warming_up = request.json()["params"][1].value("id", 0) == 1;
        if (warming_up || request.connection > 0) {
            peer.send(request.method() == "read" ? rows(json::array()) : results(true));
        } else {
            reset ? peer.reset() : peer.close();  // after the whole request was read
        }
    });
    REQUIRE(site.client->remove("Shot", 1, as("relay")));
    SECTION("a write fails and arrives once") {
        const auto failure = failure_of(site.client->create("Shot", json{{"code", "x"}}, {}, as("relay")));
        INFO(failure.message);
        CHECK(failure.cause == Cause::network);
        CHECK(site.server.count() == 2);
        CHECK(site.client->create("Shot", json{{"code", "x"}}, {}, as("relay")));  // over a new connection
        CHECK(site.server.count() == 3);
    }
    SECTION("a read succeeds over a new connection") {
        CHECK(site.client->find(shots(), as("relay")));
        CHECK(site.server.connections() == 2);
    }
}

TEST_CASE("a large write is not sent again either, and goes without waiting for permission") {
    TestSite site([](const RawRequest& request, RawPeer& peer) {
        if (request.connection == 0 && request.body.size() > 1'000'000)
            peer.close();
        else
            peer.send(results(true));
    });
    REQUIRE(site.client->remove("Shot", 1, as("relay")));
    const json data{{"description", std::string(3'000'000, 'x')}};
    CHECK(failure_of(site.client->create("Shot", data, {}, as("relay"))).cause == Cause::network);
    CHECK(site.client->create("Shot", data, {}, as("relay")));
    CHECK(site.server.count() == 3);
    CHECK(site.server.requests().back().header("expect").empty());
}

TEST_CASE("a write is tried again while nothing of it has left, as when nobody listens yet") {
    ManualClock clock;
    CaptureLog log;
    int port = 0;
    {
        port = RawServer([](const RawRequest&, RawPeer&) {}).port();
    }
    const auto client = make_client(quick("http://127.0.0.1:" + std::to_string(port)), clock, log);
    auto options = as("relay");
    options.attempts = 3;
    Failure failure;
    std::jthread caller([&] { failure = failure_of(client->create("Shot", json::object(), {}, options)); });
    for (std::size_t n = 1; n <= 2; ++n) {
        CHECK(wait_for([&] { return log.count("[SITE-RETRY]") == n; }));
        clock.advance(10ms);
    }
    caller.join();
    CHECK(failure.cause == Cause::network);
    CHECK(failure.message.find("attempt 3 of 3") != std::string::npos);
}

TEST_CASE("C90 a site that accepts and never answers the very first request costs the limit and a socket") {
    TestSite site(
        [](const RawRequest& request, RawPeer& peer) {
            if (request.connection == 0) return peer.hang();
            peer.send(rows(json::array()));
        },
        [](site::Settings& settings) { settings.limits.first_byte = 150ms; });
    const auto start = std::chrono::steady_clock::now();
    CHECK(site.client->find(shots(), as("relay")));
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(took >= 150ms);
    CHECK(took < 5s);
    CHECK(site.server.connections() == 2);
}

TEST_CASE("C91 each way of not answering is noticed within its own limit") {
    const std::string fault = GENERATE("never", "silent keep-alive", "cut short", "hangs in the middle",
                                       "drips", "reset", "closed", "half a head", "drips for ever");
    std::atomic<bool> done{false};
    TestSite site(
        [&](const RawRequest& request, RawPeer& peer) {
            if (fault == "silent keep-alive" && request.auth().contains("session_uuid"))
                return peer.send(rows(json::array()));
            if (fault == "never" || fault == "silent keep-alive") return peer.hang();
            const auto whole = rows(json::array());
            if (fault == "cut short") return peer.send(whole.substr(0, whole.size() - 5)), peer.close();
            if (fault == "hangs in the middle")
                return peer.send(whole.substr(0, whole.size() - 5)), peer.hang();
            if (fault == "half a head") return peer.send(whole.substr(0, 25)), peer.hang();
            if (fault == "reset") return peer.reset();
            if (fault == "closed") return peer.close();
            // A drip passes every limit but the one on speed, or, where it is quick enough, on the whole.
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
            const std::string drop(fault == "drips" ? 1 : 1000, ' ');
            while (!done && peer.is_open()) {
                peer.send(drop);
                std::this_thread::sleep_for(5ms);  // the fault itself, nothing waits on it
            }
        },
        [](site::Settings& settings) {
            settings.limits.first_byte = 300ms;
            settings.limits.slow_window = 300ms;
            settings.limits.slow_bytes = 5000;
            settings.limits.total = 1500ms;
        });
    if (fault == "silent keep-alive") {
        auto first = as("relay");
        first.session_uuid = "the first";
        REQUIRE(site.client->find(shots(), first));
    }
    const auto start = std::chrono::steady_clock::now();
    const auto failure = failure_of(site.client->find(shots(), once(as("relay"))));
    const auto took = std::chrono::steady_clock::now() - start;
    done = true;
    INFO(fault << ": " << failure.message);
    CHECK(site.server.connections() == 1);
    const bool broken = fault == "cut short" || fault == "reset" || fault == "closed";
    CHECK(failure.cause == (broken ? Cause::network : Cause::timed_out));
    CHECK(took < (fault == "drips for ever" ? 4s : 1400ms));
    if (fault == "drips for ever") CHECK(took >= 1400ms);
}

TEST_CASE("a host that does not take connections costs the connect limit") {
    // A listener with a full queue: the kernel lets further connections wait unanswered.
    UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener.get(), generic, size) == 0);
    REQUIRE(::listen(listener.get(), 0) == 0);
    REQUIRE(::getsockname(listener.get(), generic, &size) == 0);
    std::vector<UniqueFd> queued;
    for (int i = 0; i < 4; ++i) {
        queued.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        ::connect(queued.back().get(), generic, size);
    }
    SystemClock clock;
    CaptureLog log;
    auto settings = quick("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    settings.limits.connect = 200ms;
    settings.attempts = 1;
    const auto client = make_client(settings, clock, log);
    const auto start = std::chrono::steady_clock::now();
    const auto failure = failure_of(client->find(shots(), as("relay")));
    INFO(failure.message);
    CHECK(failure.cause == Cause::timed_out);
    CHECK(std::chrono::steady_clock::now() - start < 5s);

    settings.limits.connect = 60s;
    const auto patient = make_client(settings, clock, log);
    std::atomic<bool> begun{false};
    const auto [stopped, took] = stopped_call(
        [&](const site::CallOptions& options) {
            begun = true;
            return patient->find(shots(), options);
        },
        [&] { wait_for([&] { return begun.load(); }); });
    CHECK(stopped.cause == Cause::stopped);
    CHECK(took < 5s);
}

TEST_CASE("a stop ends a call within 100 ms, wherever the answer is") {
    const std::string where = GENERATE("before", "inside");
    // What the machine does beside this test may cost one try its time, not all of them.
    std::chrono::milliseconds best = 1h;
    for (int i = 0; i < 5 && best >= 100ms; ++i) {
        TestSite site([&](const RawRequest&, RawPeer& peer) {
            if (where == "inside") peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
            peer.hang();
        });
        const auto [failure, took] = stopped_call(
            [&](const site::CallOptions& options) { return site.client->find(shots(), options); },
            [&] { wait_for([&] { return site.server.count() == 1; }); });
        CHECK(failure.cause == Cause::stopped);
        best = std::min(best, took);
    }
    CHECK(best < 100ms);
}

TEST_CASE("a stop ends the pause between attempts") {
    ManualClock clock;  // which nobody moves
    CaptureLog log;
    RawServer server([](const RawRequest&, RawPeer& peer) { peer.send(http("busy", 503)); });
    const auto client = make_client(quick(server.url()), clock, log);
    const auto [failure, took] =
        stopped_call([&](const site::CallOptions& options) { return client->find(shots(), options); },
                     [&] { wait_for([&] { return log.count("[SITE-RETRY]") == 1; }); });
    CHECK(failure.cause == Cause::stopped);
    CHECK(took < 5s);
    CHECK(server.count() == 1);
}

TEST_CASE("a call that is stopped before it begins sends nothing") {
    TestSite site([](const RawRequest&, RawPeer& peer) { peer.send(results(true)); });
    std::stop_source stop;
    stop.request_stop();
    auto options = as("relay");
    options.stop = stop.get_token();
    CHECK(failure_of(site.client->remove("Shot", 1, options)).cause == Cause::stopped);
    CHECK(site.server.count() == 0);
}

TEST_CASE("what is left of an answer cut off by a stop is never taken for the next one") {
    TestSite site([](const RawRequest& request, RawPeer& peer) {
        if (request.connection == 0) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{");
            return peer.hang();
        }
        peer.send(results(true));
    });
    const auto [failure, took] =
        stopped_call([&](const site::CallOptions& options) { return site.client->find(shots(), options); },
                     [&] { wait_for([&] { return site.server.count() == 1; }); });
    CHECK(failure.cause == Cause::stopped);
    CHECK(site.client->remove("Shot", 1, as("relay")).value());
    CHECK(site.server.connections() == 2);
}

}  // namespace connection_test
