#pragma once
// The inside of a host: one plugin, loaded and run.

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "host/link/channel.hpp"
#include "host/link/run_page.hpp"
#include "host/run/call.hpp"
#include "host/run/crew.hpp"
#include "host/run/library.hpp"
#include "host/run/outbox.hpp"

namespace sg::host {

/// Loads the plugin that the daemon names and runs its callbacks, until told to stop.
///
/// Threads:  `run` uses the caller's thread for the plugin's code (and a crew, where the plugin lets calls
///           overlap), and a thread of its own that reads the link while that one is busy (`LinkTurn`), so
///           that an answer, a stop or the end of the link is seen while a callback runs.
/// Lifetime: the channel and the page outlive it.
class HostRun {
public:
    /// `on_link_lost` is called on the link's thread as soon as the daemon's end is closed; a
    /// process ends itself there.
    HostRun(HostChannel& channel, RunPage& page, std::function<void()> on_link_lost);

    /// Blocks for the life of the host. Nothing of the plugin is used any more when it returns; it is
    /// unloaded with this object, so that the thread which ran it may have ended before.
    void run();

private:
    bool receive_settings();
    bool follow_link();
    void take(ToHost message);
    void end_link();
    bool load();
    Result<void> register_plugin();
    void run_deliveries();
    void run_overlapping();
    Deliver next_batch();
    bool run_event(const Delivery& delivery, bool ends_batch);
    bool begin_call(RunPage::Call& call, bool begins_event);

    std::optional<Library> library_;  // goes last: everything of the plugin's points into it
    HostChannel& channel_;
    RunPage& page_;
    std::function<void()> on_link_lost_;
    HostState state_;
    Outbox outbox_;
    std::vector<LoadedCallback> callbacks_;

    std::mutex mutex_;
    std::deque<Deliver> queue_;
    bool draining_ = false;
    std::atomic<bool> has_ended_{false};  // the link
    bool stopping_ = false;               // the call that runs was asked to end, and so is any to come
    std::uint64_t sequence_ = 0;
    std::stop_source stop_;                      // of the call that runs; another once it is used
    bool stop_is_new_ = true;                    // not in `token_` yet
    std::stop_token token_;                      // of the call that runs; the caller of `run` alone
    bool is_last_ = false;                       // no batch waits behind that of the call; likewise
    std::chrono::steady_clock::time_point now_;  // when the last call ended; the caller of `run` alone

    std::shared_ptr<Crew> crew_;  // while calls may overlap; whoever uses it keeps it beyond the lock

    std::jthread link_thread_;
};

}  // namespace sg::host
