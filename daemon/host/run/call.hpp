#pragma once
// One call of one callback on one event.

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <sg/callback.hpp>
#include <thread>

#include "host/link/messages.hpp"
#include "host/run/host_retriever.hpp"
#include "host/run/host_tasks.hpp"
#include "host/run/link_logger.hpp"
#include "host/run/link_turn.hpp"
#include "host/run/site_stub.hpp"

namespace sg::host {

/// Why a plugin's code failed, in words: only text leaves the plugin's own library.
struct Reason {
    Cause cause = Cause::internal;
    std::string text;
};

/// The exception being handled, of whatever type. Call it inside a catch.
Reason current_reason();

/// A callback as it was registered.
struct LoadedCallback {
    RegisteredCallback info;
    nlohmann::json args;
    std::unique_ptr<CallbackBase> run;
    KeepOrder keep_order = KeepOrder::entity;  ///< with a concurrency of more than 1
};

/// What every call of a host shares.
struct HostState {
    explicit HostState(HostChannel& channel)
        : turn(channel),
          log(channel),
          site_calls(channel, turn),
          tasks(log),
          retriever(channel, turn, tasks, site_calls) {}
    Configure settings;
    nlohmann::json args;
    LinkTurn turn;
    LogLink log;
    SiteCalls site_calls;
    HostTasks tasks;
    HostRetriever retriever;

    // For calls that are done on another thread than they began on, which most are not.
    std::mutex done_mutex;
    std::condition_variable done_changed;
};

/// The context of a call, and the door through which nothing a callback throws gets out.
///
/// Lifetime: outlived by all that it is made of. It counts no owners: each would cost every call.
class Call final : public Context, public Completion {
public:
    Call(HostState& host, const LoadedCallback& callback, std::uint16_t index, const Delivery& delivery,
         const Event& event, const std::stop_token& stop, std::chrono::steady_clock::time_point begun);

    /// Runs the callback and waits until it told that it is done, on whatever thread.
    Outcome run(const Event& event) noexcept;

    Site& site() override { return site_; }
    Logger& logger() override { return logger_; }
    const nlohmann::json& args() const override;
    std::uint32_t attempt() const noexcept override { return delivery_.attempt; }
    bool redelivered() const noexcept override { return delivery_.redelivered; }
    std::string_view idempotency_key() const noexcept override;
    std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept override;
    bool dry_run() const noexcept override { return host_.settings.dry_run; }
    std::stop_token stop_token() const noexcept override { return stop_; }
    TaskManager& tasks() override { return tasks_.get(); }
    DataRetriever& retriever() override;
    const std::vector<EventId>& merged() const override;

    void succeeded() noexcept override;
    void failed(std::exception_ptr why) noexcept override;

private:
    void finish(std::optional<Reason> failure) noexcept;

    HostState& host_;
    const LoadedCallback& callback_;
    const Delivery& delivery_;
    const std::stop_token& stop_;
    SiteStub site_;
    LinkLogger logger_;
    CallTasks tasks_;
    const Event& event_;
    std::once_flag retriever_made_;
    std::optional<CallRetriever> retriever_;
    std::chrono::steady_clock::time_point begun_;
    mutable std::once_flag key_made_;
    mutable std::string key_;
    mutable std::once_flag merged_made_;
    mutable std::vector<EventId> merged_;

    // Told first decides. Most callbacks are done on the thread that began them, which needs no lock then.
    const std::thread::id thread_ = std::this_thread::get_id();
    std::atomic<bool> done_{false};
    bool done_here_ = false;       // that thread's own
    bool done_elsewhere_ = false;  // under the host's lock for it
    Outcome outcome_;
};

}  // namespace sg::host
