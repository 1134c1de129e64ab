#pragma once
// Whose turn it is to read the link.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "host/link/channel.hpp"

namespace sg::host {

/// The thread that runs calls reads the link itself while it has nothing to run: an event is begun without a
/// change of threads. The link's own thread reads before the first event, while a call runs for longer than
/// `patience`, as soon as one waits for an answer, and after the last one.
///
/// Threads: each member says which.
class LinkTurn {
public:
    static constexpr std::chrono::milliseconds patience{2};

    explicit LinkTurn(HostChannel& channel) : channel_(channel) {}

    /// Runner: has nothing to do. Returns when it may read; the link may have brought something by then.
    void begin_idle();

    /// Runner: has found something to do, and reads no more until `begin_idle`.
    void end_idle();

    /// Any thread: something is about to wait for what comes over the link.
    void hand_over();

    /// Link's thread: waits for its turn. False when it is asked to stop.
    bool wait(const std::stop_token& stop);

    /// Link's thread: after each message; whether it is still its turn.
    bool goes_on();

    /// Link's thread: reads no more, ever.
    void leave();

private:
    enum class Reader : std::uint8_t { runner, link };

    HostChannel& channel_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    Reader reader_ = Reader::link;
    bool is_wanted_ = false;  // by the runner
    bool is_busy_ = false;    // the runner is
    bool is_asleep_ =
        false;  // the link's thread: without a limit, so it must be told that the runner is busy
    std::uint64_t spells_ = 0;  // of being busy
};

}  // namespace sg::host
