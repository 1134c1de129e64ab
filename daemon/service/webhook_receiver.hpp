#pragma once
// Where the site's webhook tells the daemon that there is something new.

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <sg/logger.hpp>

#include "admin/server.hpp"
#include "admin/snapshot.hpp"
#include "admin/webhook.hpp"

namespace sg::service {

/// A delivery that is the site's makes the daemon look for events at once, and nothing else: what there is,
/// the answer to that query says. So a delivery that is lost, late or wrong changes no event's fate.
///
/// What is refused is counted, and told to the log at most once a minute.
///
/// Threads:  `counts` from any. `on_hint` is called on the server's thread and must not block.
/// Lifetime: outlived by the logger, the clock and what `on_hint` reaches.
class WebhookReceiver {
public:
    struct Options {
        std::string address;  ///< empty: none is wanted
        std::string token;
    };
    /// Errors: as `admin::Server::start`.
    static Result<std::unique_ptr<WebhookReceiver>> start(const Options& options, Clock& clock, Logger& log,
                                                          std::function<void()> on_hint);

    admin::WebhookView counts() const;
    std::uint16_t port() const noexcept { return server_->port(); }

private:
    WebhookReceiver(std::string token, Clock& clock, Logger& log, std::function<void()> on_hint);
    admin::Response answer(const admin::Request& request);
    void tell(admin::Delivery delivery);

    Clock& clock_;
    Logger& log_;
    std::function<void()> on_hint_;
    admin::DeliveryCheck check_;       // server's thread only
    std::optional<Clock::Time> told_;  // the same
    std::uint64_t untold_ = 0;         // the same
    mutable std::mutex mutex_;         // guards the counts
    admin::WebhookView counts_;
    std::unique_ptr<admin::Server> server_;  // last: its thread uses all of the above
};

}  // namespace sg::service
