#pragma once
// How every call of the site is made.

#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "site/client.hpp"
#include "site/connection_pool.hpp"
#include "site/wire.hpp"

namespace sg::site {

/// The one way to the site: takes a connection, sends, judges the answer, tries again where that is
/// allowed. Each method of the site is a few lines above this.
class Client::Calls {
public:
    Calls(Settings settings, Route route, Clock& clock, Logger& log)
        : settings_(std::move(settings)), route_(std::move(route)), pool_(route_), clock_(clock), log_(log) {}

    const Settings& settings() const { return settings_; }

    /// Makes a call; its `results`. `parameters` may be null: none.
    Result<nlohmann::json> call(std::string_view method, nlohmann::json parameters, Repeat repeat,
                                const CallOptions& options, std::size_t* answer_bytes = nullptr);

    /// The same without reading the answer.
    Result<RawAnswer> call_raw(std::string_view method, nlohmann::json parameters, Repeat repeat,
                               const CallOptions& options);

    /// The answer's bytes where it is no JSON; a JSON answer is a fault, or text.
    Result<std::string> call_text(std::string_view method, nlohmann::json parameters, Repeat repeat,
                                  const CallOptions& options);

    /// Calls that need no credential.
    Result<nlohmann::json> call_as_nobody(std::string_view method, const CallOptions& options);

    /// The site's version; asked for once, and by several threads at most once each.
    Result<Version> version(const CallOptions& options);

    /// The same if it is known without asking.
    std::optional<Version> known_version() const;

    // For files, which travel outside the envelope.

    const Route& route() const { return route_; }

    /// One try of something, and whether trying again may help and cannot harm.
    struct Attempt {
        Result<HttpAnswer> answer;
        bool may_repeat = false;
    };

    /// Makes attempts until one succeeds or may not be repeated, pausing as `Client` says. `what` stands in
    /// messages: "calling read". A try that got on (`progress` grew) begins the count anew.
    Result<HttpAnswer> persist(const std::string& what, const CallOptions& options,
                               const std::function<Attempt()>& attempt,
                               const std::function<std::uint64_t()>& progress = {});

    /// The block that says who asks. Errors: as every call of that credential.
    Result<nlohmann::json> auth(const CallOptions& options);

    /// One HTTP exchange over a pooled connection of the credential, or of nobody; its answer, of any status.
    Attempt exchange(const HttpRequest& request, bool as_caller, Repeat repeat, const CallOptions& options);

private:
    struct Request {
        std::string_view method;
        std::string body;
        std::string credential;
        Repeat repeat = Repeat::never;
        Expect expect = Expect::json;
    };

    Result<Request> with_credential(std::string_view method, nlohmann::json parameters, Repeat repeat,
                                    const CallOptions& options);
    Result<HttpAnswer> send(const Request& request, const CallOptions& options);
    Attempt attempt(const Request& request, const CallOptions& options);
    Failure explained(Failure failure, const std::string& what, const CallOptions& options) const;

    const Settings settings_;
    const Route route_;
    ConnectionPool pool_;
    Clock& clock_;
    Logger& log_;
    mutable std::mutex mutex_;
    std::optional<Version> version_;  // under the mutex
};

}  // namespace sg::site
