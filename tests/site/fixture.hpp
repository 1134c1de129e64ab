#pragma once
// A client and what it needs.

#include <memory>
#include <stdexcept>

#include "capture_log.hpp"
#include "raw_server.hpp"
#include "site/client.hpp"

namespace sg::test {

inline std::unique_ptr<site::Client> make_client(site::Settings settings, Clock& clock, Logger& log) {
    auto made = site::Client::make(std::move(settings), clock, log);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}

/// Settings under which nothing takes long; limits are set by the tests that are about them.
inline site::Settings quick(const std::string& url) {
    site::Settings settings;
    settings.base_url = url;
    settings.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(1),
                        std::chrono::milliseconds(2)};
    return settings;
}

inline site::CallOptions as(std::string name, std::string key = "k3y-of-relay") {
    site::CallOptions options;
    options.credential = site::Script{std::move(name), std::move(key)};
    return options;
}

/// A client of a raw server, on the machine's clock.
struct TestSite {
    explicit TestSite(RawServer::Handler handler)
        : server(std::move(handler)), client(make(quick(server.url()))) {}
    TestSite(RawServer::Handler handler, void (*change)(site::Settings&)) : server(std::move(handler)) {
        auto settings = quick(server.url());
        change(settings);
        client = make(std::move(settings));
    }
    std::unique_ptr<site::Client> make(site::Settings settings) {
        return make_client(std::move(settings), clock, log);
    }

    RawServer server;
    SystemClock clock;
    CaptureLog log;
    std::unique_ptr<site::Client> client;
};

/// What a failed result says; a text that no test expects if it did not fail.
template <class T>
Failure failure_of(const Result<T>& result) {
    return result ? Failure{Cause::internal, "it did not fail", -1, -1, {}} : result.error();
}

}  // namespace sg::test
