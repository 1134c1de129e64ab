#pragma once
// Outcomes on their way to the daemon.

#include <chrono>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "host/link/channel.hpp"

namespace sg::host {

/// Sends outcomes in batches, and none of them lingers: a batch goes when it is full, when one of
/// it is a failure, when nothing more is to run, or, by `tick`, a moment after its first outcome
/// while a later call runs long.
///
/// Threads: `add` and `rest` on the thread that runs calls, the others on the one that reads the link.
class Outbox {
public:
    enum class Flush { now, later };
    static constexpr std::size_t most = 256;  // well below RunPage::ring_size
    static constexpr std::chrono::milliseconds patience{2};

    /// `on_lost` is called when outcomes cannot be sent any more. The link's thread may not see that
    /// by itself: it sleeps on a descriptor that the plugin has closed under it.
    Outbox(HostChannel& channel, std::function<void()> on_lost)
        : channel_(channel), on_lost_(std::move(on_lost)) {}

    /// `sequence` follows that of the outcome before. Blocks while the daemon is behind. Returns
    /// whether a batch was sent.
    bool add(std::uint64_t sequence, Outcome outcome, Flush flush);
    void flush();

    /// Outcomes will come: the link's thread looks after them from now on.
    void expect();

    /// Nothing runs: whoever reads the link need not look after outcomes until `expect`.
    void rest();

    /// Whether `tick` must be called again after `patience`. Otherwise `add` wakes the channel.
    bool is_watched() const;
    void tick();

private:
    void flush_locked();

    HostChannel& channel_;
    std::function<void()> on_lost_;
    mutable std::mutex mutex_;
    std::vector<Outcome> pending_;
    std::uint64_t first_ = 0;
    bool watched_ = false;
};

}  // namespace sg::host
