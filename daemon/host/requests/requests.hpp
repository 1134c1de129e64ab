#pragma once
// What a callback asks of the daemon, and whoever answers it.

#include <functional>
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

}  // namespace sg::host
