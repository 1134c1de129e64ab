#pragma once
// What a callback asks of the daemon, and whoever answers it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <sg/registrar.hpp>
#include <stop_token>
#include <string>

#include "util/result.hpp"

namespace sg::host {

/// A call of `sg::Site`, on its way from a host to the site.
struct SiteRequest {
    std::string plugin;
    std::string callback;      ///< empty during registration
    std::string method;        ///< name as `sg::Site::call` takes it; untrusted
    std::string arguments;     ///< JSON text; untrusted
    Credential credential;     ///< empty: the plugin's own, or the default for plugins
    std::string session_uuid;  ///< of the event in hand; empty: none
    EventId event = 0;
    /// Of a transfer, if somebody wants to know: bytes so far, and of how many. Called a few times a second,
    /// from any thread, and never after `done`.
    std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)> progress;
};

/// JSON text of the result, as the site sent it where possible.
using SiteAnswer = Result<std::string>;

/// Implemented by `service` over the site client. Never blocks.
///
/// Threads: any. `done` is called once, from any thread, also when the stop token made it end.
class SiteRequests {
public:
    virtual void start(SiteRequest request, std::stop_token stop, std::function<void(SiteAnswer)> done) = 0;

protected:
    ~SiteRequests() = default;
};

/// A request of `sg::DataRetriever`, on its way from a host to the retriever.
struct DataRequest {
    std::uint64_t id = 0;  ///< the host's
    std::string callback;
    /// The name of a site call, with `{"args": […], "kwargs": {…}}` as its arguments; or one of
    ///     schema            {"project": id or null}
    ///     attachment        {"attachment": {…}, "refresh": bool}
    ///     thumbnail         {"url", "type", "id", "field", "refresh"}; `url` and `field` may be null
    ///     thumbnail_source  {"type", "id", "refresh"}
    /// Untrusted, as `arguments`, which is JSON text.
    std::string what, arguments;
    Credential credential;     ///< as in `SiteRequest`
    std::string session_uuid;  ///< likewise
    EventId event = 0;
};

/// JSON text of `{"type": …, "data": …}`; with the cause `stopped` it was cancelled.
using DataOutcome = Result<std::string>;

/// Implemented by `service` over the data retriever. Never blocks.
///
/// Threads: any. `done` is called once, from any thread.
class DataRequests {
public:
    /// The requests of one host. The order of its calls is kept. When it is destroyed what is not finished is
    /// cancelled, and not waited for.
    class Door {
    public:
        virtual ~Door() = default;
        virtual void start(DataRequest request, std::function<void(DataOutcome)> done) = 0;
        virtual void stop(std::uint64_t id) = 0;

        /// Cancels what is not worked on yet. How many that was is told after the `done` of each.
        virtual void clear(std::function<void(std::size_t)> done) = 0;
    };
    virtual std::unique_ptr<Door> open(const std::string& plugin) = 0;

protected:
    ~DataRequests() = default;
};

}  // namespace sg::host
