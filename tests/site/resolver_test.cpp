// A name server that does not answer.

#include <dlfcn.h>
#include <netdb.h>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "catch.hpp"
#include "fixture.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* silent_name = "nobody-answers-for-this.test";
constexpr const char* moving_name = "the-site-moves.test";

struct Resolver {
    std::mutex mutex;
    std::condition_variable changed;
    bool asked = false;
    bool open = false;
    const char* moving_to = "127.0.0.2";
};
/// Never destroyed: a thread of libcurl may still be in it when the process ends.
Resolver& resolver() {
    static auto* const one = new Resolver;
    return *one;
}

}  // namespace

// libcurl's call ends up here, as that of every library this program is linked with.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
    if (name != nullptr && std::string_view(name) == silent_name) {
        std::unique_lock lock(resolver().mutex);
        resolver().asked = true;
        resolver().changed.notify_all();
        resolver().changed.wait(lock, [] { return resolver().open; });
        return EAI_AGAIN;
    }
    if (name != nullptr && std::string_view(name) == moving_name) {
        std::lock_guard lock(resolver().mutex);
        name = resolver().moving_to;
    }
    static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(name, service, hints, result);
}

TEST_CASE(
    "C113 a call whose site's name does not resolve lets go when it is stopped, and so does its client") {
    SystemClock clock;
    CaptureLog log;
    auto client = make_client(quick(std::string("http://") + silent_name), clock, log);
    std::stop_source stop;
    auto options = as("relay");
    options.stop = stop.get_token();
    Failure failure;
    std::jthread caller([&] {
        site::FindRequest request;
        request.query.type = "Shot";
        failure = failure_of(client->find(request, options));
    });
    {
        std::unique_lock lock(resolver().mutex);
        REQUIRE(resolver().changed.wait_for(lock, 30s, [] { return resolver().asked; }));
    }
    const auto begun = std::chrono::steady_clock::now();
    stop.request_stop();
    caller.join();
    client.reset();
    CHECK(std::chrono::steady_clock::now() - begun < 1s);
    CHECK(failure.cause == Cause::stopped);
    std::lock_guard lock(resolver().mutex);
    resolver().open = true;
    resolver().changed.notify_all();
}

TEST_CASE(
    "C97 a site whose name leads somewhere else now is found there as soon as the old address refuses") {
    const auto answer = [](const RawRequest&, RawPeer& peer) {
        constexpr std::string_view body = R"({"results":{"entities":[],"paging_info":{"entity_count":0}}})";
        peer.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
    };
    auto before = std::make_unique<RawServer>(answer, "127.0.0.2", 0);
    const auto port = before->port();
    RawServer after(answer, "127.0.0.3", static_cast<std::uint16_t>(port));
    SystemClock clock;
    CaptureLog log;
    auto client = make_client(quick(fmt::format("http://{}:{}", moving_name, port)), clock, log);
    site::FindRequest request;
    request.query.type = "Shot";
    REQUIRE(client->find(request, as("relay")));
    CHECK(before->count() == 1);
    {
        std::lock_guard lock(resolver().mutex);
        resolver().moving_to = "127.0.0.3";
    }
    before.reset();
    REQUIRE(client->find(request, as("relay")));
    CHECK(after.count() == 1);
}
