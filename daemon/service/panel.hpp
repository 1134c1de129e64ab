#pragma once
// The daemon's side of its HTTP interface.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "admin/controls.hpp"
#include "admin/desk.hpp"
#include "admin/server.hpp"
#include "dispatch/dispatcher.hpp"
#include "logging/logging.hpp"
#include "service/orders.hpp"
#include "service/webhook_receiver.hpp"
#include "util/loop.hpp"

namespace sg::service {

/// Takes a snapshot every second on the loop, more often while the daemon starts, and answers from the last
/// one: who looks never makes the loop wait, and sees how old the last turn of a stuck loop is.
///
/// Threads:  `open` and `listen` on the loop or before it runs; the rest any.
/// Lifetime: ends after the loop's thread and before what the functions reach.
class Panel final : public admin::Controls {
public:
    using Letters = std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>>;
    struct Wiring {
        std::function<admin::Snapshot()> take;                         ///< on the loop
        std::function<void(std::function<void()> answered)> poll_now;  ///< on the loop; may be empty
        std::function<EventId()> level;                                ///< on the loop
        std::function<void(const std::string& plugin)> reload;         ///< on the loop; empty: every plugin
        /// The first event created then or later, or the one after the newest; on the loop.
        std::function<void(UtcTime, std::function<void(Result<EventId>)>)> first_since;
        /// Has a plugin loaded or unloaded from now on, and tells when that is durable; on the loop.
        std::function<void(const std::string& plugin, bool enabled, const std::string& caller,
                           std::function<void(Result<std::string>)>)>
            set_enabled;
        std::function<void(const std::string& plugin, LogLevel)> set_log_level;  ///< on the loop
        /// What is known of an event and a plugin; on the loop.
        std::function<nlohmann::json(const std::string& plugin, EventId)> explain;
        dispatch::Dispatcher& dispatcher;  ///< on the loop
    };
    Panel(Loop& loop, Logger& log, Wiring wiring);

    /// Starts to listen. A daemon that cannot be looked at runs all the same: it says so.
    /// `token`: with which dead letters may be tried again on the port; empty: they may not.
    void open(const admin::Server::Options& options, std::string token);

    /// Starts to listen to the site's webhook, if that is wanted; a daemon that cannot polls all the same.
    void listen(const WebhookReceiver::Options& options);

    /// Something has changed that should be seen at once. On the loop.
    void refresh();

    std::shared_ptr<const admin::Snapshot> snapshot() const override;
    std::chrono::milliseconds loop_age() const override;
    void poll_now(const std::string& caller) override;
    void reload(const std::string& plugin, const std::string& caller) override;
    Letters dead_letters() const override;
    void retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller) override;
    void drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller) override;
    void set_log_level(LogLevel level, const std::string& plugin, const std::string& caller) override;
    std::uint64_t order(const admin::Order& order, const std::string& caller) override;
    std::optional<admin::OrderState> order_state(std::uint64_t number) const override {
        return orders_.find(number);
    }

    void on_wrong_token(const std::string& caller) override;

private:
    void take();
    void carry_out(const admin::Order& order, const std::string& caller, std::uint64_t number);
    void poll_and_wait(std::uint64_t number);
    void wait_for_delivery(std::uint64_t number, EventId through);
    void steer(const dispatch::Steering& what, std::uint64_t number);

    Loop& loop_;
    Logger& log_;
    Wiring wiring_;
    admin::Desk desk_{*this};
    mutable std::mutex mutex_;
    std::shared_ptr<const admin::Snapshot> last_;
    Letters letters_;
    Orders orders_;
    std::atomic<std::chrono::steady_clock::rep> turned_;  // of the machine's clock
    std::atomic<std::uint64_t> wrong_tokens_{0};
    std::atomic<std::chrono::steady_clock::rep> told_of_token_{0};  // when a wrong one was last logged
    Loop::Handle timer_;
    Clock::Time opened_{};
    std::map<std::uint64_t, Loop::Handle> waits_;  // of orders that wait for events to be delivered
    std::unique_ptr<admin::Server> server_;
    std::unique_ptr<WebhookReceiver> webhook_;
};

}  // namespace sg::service
