#pragma once
// What the daemon lets others see and do; `service` implements it.

#include <memory>
#include <optional>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "admin/order.hpp"
#include "admin/snapshot.hpp"
#include "checkpoint/dead_letter.hpp"
#include "util/result.hpp"

namespace sg::admin {

/// Threads: any; nothing here blocks, and no lane is waited for.
class Controls {
public:
    /// The last look at everything, at most a second old; null before the first.
    virtual std::shared_ptr<const Snapshot> snapshot() const = 0;

    /// How long ago the daemon's loop last turned: a loop that is stuck takes no new snapshot.
    virtual std::chrono::milliseconds loop_age() const = 0;

    /// Looks for events soon. `caller`, here and below, is who asks, for the log.
    virtual void poll_now(const std::string& caller) = 0;

    /// Loads the plugin anew, changed or not; an empty name is every plugin.
    virtual void reload(const std::string& plugin, const std::string& caller) = 0;

    /// Those there were at the last look; null before the first.
    virtual std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> dead_letters() const = 0;

    /// Tries the chosen ones again, or deletes them, soon.
    virtual void retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller) = 0;
    virtual void drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller) = 0;

    /// Until the configuration is read again. Nothing in `plugin`: the daemon's own lines.
    virtual void set_log_level(LogLevel level, const std::string& plugin, const std::string& caller) = 0;

    /// Takes an order, and returns the number by which it is asked after.
    virtual std::uint64_t order(const Order& order, const std::string& caller) = 0;
    virtual std::optional<OrderState> order_state(std::uint64_t number) const = 0;

    /// Somebody sent a token that is not the configured one.
    virtual void on_wrong_token(const std::string& caller) = 0;

protected:
    ~Controls() = default;
};

}  // namespace sg::admin
