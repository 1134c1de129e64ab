#pragma once
// The daemon: all parts, wired, started and stopped in order.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "alerts/alerts.hpp"
#include "config/load.hpp"
#include "logging/logging.hpp"
#include "service/exit_code.hpp"
#include "service/notifier.hpp"
#include "service/observer.hpp"
#include "util/clock.hpp"

namespace sg::service {

/// Runs once. The order of starting: state, hosts of an earlier daemon gone, plugins, stream; of
/// stopping: stream, callbacks, site calls of plugins, hosts, state.
///
/// Without the site the daemon waits for it (or gives up, with `strict_start`); a plugin that cannot
/// be loaded costs the others nothing.
///
/// Threads:  `run` on one thread, with all signals blocked; `stop` and `poll_now` from any other.
/// Lifetime: outlived by logging, clock, observer and alerts.
class Service {
public:
    /// Without `alerts` nobody is told of anything.
    Service(config::Config config, logging::Logging& logging, Clock& clock, Observer* observer = nullptr,
            Notifier notifier = {}, alerts::Alerts* alerts = nullptr);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Blocks from start to end. What went wrong has been logged when it returns.
    ExitCode run();

    /// After `run`: whether a callback in a thread of ours could not be ended. The state is saved, but the
    /// thread may still use this service and all that it was given: the process must end without taking any
    /// of it down (`_Exit`).
    bool has_abandoned() const noexcept { return has_abandoned_; }

    /// Ends `run` in order, within the drain time: what does not end by then is given out again at the
    /// next start. Also before `run`. `why` is for the log.
    void stop(const std::string& why, ExitCode code = ExitCode::ok);

    /// Asks the site for events at once.
    void poll_now();

    /// Where `reload` reads the configuration anew, on a thread that may block; before `run`. Without it
    /// `reload` leaves the configuration alone.
    using ReadConfig = std::function<tl::expected<config::Loaded, std::vector<config::Problem>>()>;
    void reload_from(ReadConfig read) { read_config_ = std::move(read); }

    /// Reads the configuration and takes over what a running daemon can, then loads every plugin anew,
    /// changed or not. A configuration that is wrong changes nothing at all. Says in the log how it went.
    void reload();

private:
    class Parts;

    ExitCode follow();
    void wait_for_stop();

    const config::Config config_;
    logging::Logging& logging_;
    Logger& log_;
    Clock& clock_;
    Observer* const observer_;
    const Notifier notifier_;
    alerts::Alerts* const alerts_;
    ReadConfig read_config_;
    std::atomic<std::chrono::milliseconds> drain_time_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> stop_reason_;  // once set, `run` ends
    bool has_abandoned_ = false;
    ExitCode code_ = ExitCode::ok;
    Parts* parts_ = nullptr;  // while they run
};

}  // namespace sg::service
