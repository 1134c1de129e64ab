#pragma once
// The threads of a host whose plugin lets calls overlap.

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "host/link/run_page.hpp"
#include "host/run/call_order.hpp"
#include "host/run/outbox.hpp"

namespace sg::host {

/// Runs events on as many threads as any callback may have calls at once. A host whose callbacks all have one
/// has no crew.
///
/// Threads:  `add` and `finish` on the host's own, the others on any; stop callbacks of the plugin run
/// within. Lifetime: outlived by all that its constructor takes.
class Crew {
public:
    Crew(HostState& host, RunPage& page, Outbox& outbox, const std::vector<LoadedCallback>& callbacks);
    ~Crew();

    void add(std::vector<Delivery> batch);

    /// No event begins any more; those that were begun are finished.
    void drain();
    /// As `drain`, and calls that run are asked to end.
    void stop();
    /// The call with this sequence is asked to end, if it runs.
    void stop_call(std::uint64_t sequence);

    /// Waits for what runs. After `drain` or `stop`.
    void finish();

private:
    struct Worker {
        std::stop_source stop;
        std::uint64_t sequence = 0;  // of the call that runs; 0: none
        std::jthread thread;
    };

    void work(std::size_t slot);
    void run(std::size_t slot, const Work& work);
    std::optional<std::stop_token> begin(std::size_t slot, EventId event, std::uint16_t callback);
    void end(std::size_t slot, Outcome outcome, bool ends_event);

    HostState& host_;
    RunPage& page_;
    Outbox& outbox_;
    const std::vector<LoadedCallback>& callbacks_;

    std::mutex mutex_;
    std::condition_variable changed_;
    CallOrder order_;
    bool draining_ = false;
    bool stopping_ = false;
    std::uint64_t begun_ = 0;

    std::mutex end_mutex_;     // apart from the other: reporting may wait for the daemon
    std::uint64_t ended_ = 0;  // outcomes are numbered as they are reached

    std::vector<Worker> workers_;
};

}  // namespace sg::host
