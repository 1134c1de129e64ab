#pragma once
// Alerts as the configuration wants them, fed by the log.

#include "alerts/alerts.hpp"
#include "config/config.hpp"
#include "logging/logging.hpp"
#include "util/clock.hpp"
#include "util/loop.hpp"

namespace sg::service {

alerts::Options alert_options(const config::Config& config);

/// Listens to the log from when it is made until it goes; what waits then is sent first, for a few seconds at
/// most.
///
/// Threads:  make and destroy on one; `alerts` from any.
/// Lifetime: outlived by logging and clock. Outlives the service, so that people hear why it ended.
class AlertDesk {
public:
    AlertDesk(const config::Config& config, logging::Logging& logging, Clock& clock);
    ~AlertDesk();
    AlertDesk(const AlertDesk&) = delete;
    AlertDesk& operator=(const AlertDesk&) = delete;

    alerts::Alerts& alerts() noexcept { return alerts_; }

private:
    logging::Logging& logging_;
    alerts::Alerts alerts_;
};

/// Says in the log when no event has come for a while, and when one comes again. A site that does not answer
/// is another matter, and does not count as quiet. Loop thread only.
class QuietWatch {
public:
    /// `events` is the number of events read so far, `answers` whether the site answers at present.
    QuietWatch(std::optional<std::chrono::milliseconds> after, Clock& clock, Logger& log)
        : after_(after), clock_(clock), log_(log), since_(clock.now()) {}
    void look(std::uint64_t events, bool answers);

private:
    const std::optional<std::chrono::milliseconds> after_;
    Clock& clock_;
    Logger& log_;
    Clock::Time since_;
    std::uint64_t events_ = 0;
    bool told_ = false;
};

}  // namespace sg::service
