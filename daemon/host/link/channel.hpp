#pragma once
// The two ends of a link, whatever lies between them.

#include <chrono>
#include <functional>
#include <optional>

#include "host/link/messages.hpp"

namespace sg::host {

/// The daemon's end. Never blocks. Loop thread only.
class DaemonChannel {
public:
    struct Handlers {
        std::function<void(FromHost)> message;

        /// Once, and nothing after it: the host's end is closed, or what it sent was no message.
        std::function<void(std::optional<Failure> malformed)> ended;
    };

    virtual ~DaemonChannel() = default;

    /// Begins to receive. The handlers may not destroy the channel.
    virtual void open(Handlers handlers) = 0;

    /// Queues a message. Bytes are made of it as the host reads, so that what waits here are
    /// references to pages.
    virtual void send(ToHost message) = 0;

    /// Hands over the whole messages that a host which is gone has left behind.
    virtual void receive_rest() = 0;

    virtual void close() = 0;
};

/// The host's end.
///
/// Threads: `receive` on one thread, everything else on any.
class HostChannel {
public:
    enum class WhenFull { wait, drop };
    struct Received {
        std::optional<ToHost> message;  ///< none: woken, or the time is over
        bool ended = false;             ///< the daemon's end is closed
    };

    virtual ~HostChannel() = default;

    /// False when the message was dropped, or the link has ended. Blocks while the daemon is
    /// behind, unless told to drop.
    virtual bool send(FromHost message, WhenFull when_full = WhenFull::wait) = 0;

    /// The next message; waits for it, for `at_most` if given.
    virtual Received receive(std::optional<std::chrono::milliseconds> at_most) = 0;

    /// Makes `receive` return now, or the next time.
    virtual void wake() noexcept = 0;
};

}  // namespace sg::host
