#pragma once
// The background threads of a host.

#include <memory>
#include <mutex>
#include <optional>
#include <sg/tasks.hpp>
#include <stop_token>

#include "host/run/link_logger.hpp"

namespace sg::host {

/// One task manager for the host's plugin, made when it is first asked for.
///
/// Threads: any.
class HostTasks {
public:
    explicit HostTasks(LogLink& log) : log_(log) {}

    /// Throws `Closed` once the host ends.
    std::shared_ptr<TaskManager> get();

    /// Stops what there is and waits until none of it runs any more.
    void end();

private:
    LogLink& log_;
    std::mutex mutex_;
    std::shared_ptr<TaskManager> manager_;
    bool has_ended_ = false;
};

/// What one call of a callback is handed: its tasks stop with it, later calls do not touch them.
///
/// Lifetime: outlived by the call's token.
class CallTasks {
public:
    CallTasks(HostTasks& host, const std::stop_token& call) : host_(host), call_(call) {}
    TaskManager& get();

private:
    HostTasks& host_;
    const std::stop_token& call_;
    std::mutex mutex_;
    std::shared_ptr<TaskManager> manager_;
    std::unique_ptr<TaskManager> view_;
    struct Relay {
        std::stop_source stop;
        void operator()() { stop.request_stop(); }
    };
    std::optional<std::stop_callback<Relay>> relay_;
};

}  // namespace sg::host
