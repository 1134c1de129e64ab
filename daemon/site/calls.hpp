#pragma once
// How every call of the site is made.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "site/client.hpp"
#include "site/connection_pool.hpp"

namespace sg::site {

/// Whether a call can be made twice without harm.
enum class Repeat { harmless, never };

/// The one way to the site: takes a connection, sends, judges the answer, tries again where that is
/// allowed. Each method of the site is a few lines above this.
class Client::Calls {
public:
    Calls(Settings settings, Route route, Clock& clock, Logger& log)
        : settings_(std::move(settings)), route_(std::move(route)), pool_(route_), clock_(clock), log_(log) {}

    const Settings& settings() const { return settings_; }

    /// Makes a call as a script; its `results`. `parameters` may be null: none.
    Result<nlohmann::json> call(std::string_view method, nlohmann::json parameters, Repeat repeat,
                                const CallOptions& options, std::size_t* answer_bytes = nullptr);

    /// The same without reading the answer.
    Result<RawAnswer> call_raw(std::string_view method, nlohmann::json parameters, Repeat repeat,
                               const CallOptions& options);

    /// Calls that need no script.
    Result<nlohmann::json> call_as_nobody(std::string_view method, const CallOptions& options);

private:
    struct Request {
        std::string_view method;
        std::string body;
        std::string credential;
        Repeat repeat = Repeat::never;
    };
    struct Attempt {
        Result<HttpAnswer> answer;
        bool may_repeat = false;
    };

    Result<Request> as_script(std::string_view method, nlohmann::json parameters, Repeat repeat,
                              const CallOptions& options);
    Result<HttpAnswer> send(const Request& request, const CallOptions& options);
    Attempt attempt(const Request& request, const CallOptions& options);
    Failure explained(Failure failure, std::string_view method, const CallOptions& options) const;

    const Settings settings_;
    const Route route_;
    ConnectionPool pool_;
    Clock& clock_;
    Logger& log_;
};

}  // namespace sg::site
