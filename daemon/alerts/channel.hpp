#pragma once
// One way to tell people, on a thread of its own.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "alerts/alert.hpp"
#include "alerts/piles.hpp"
#include "util/backoff.hpp"
#include "util/loop.hpp"

namespace sg::alerts {

struct ChannelStatus {
    std::string name;
    std::uint64_t messages = 0;   ///< that were taken by the other side
    std::uint64_t sent = 0;       ///< alerts in them, those that were only counted included
    std::uint64_t held_back = 0;  ///< of those: only counted
    std::uint64_t failures = 0;   ///< attempts to send that failed
    std::uint64_t lost = 0;       ///< alerts of messages that were given up
    std::size_t waiting = 0;      ///< alerts that are not sent yet
    std::string last_error;       ///< empty after a success
    std::optional<UtcTime> last_sent{};
};

/// Gathers alerts and sends them. Whoever adds one never waits for the other side, and what waits is bounded.
///
/// A message that cannot be sent is tried again with growing pauses, then given up, counted and logged. What
/// is logged has codes that begin with ALERT and must raise no alert again.
///
/// Threads:  `add`, `status` from any; `stop` from one.
/// Lifetime: outlived by clock and log.
class Channel {
public:
    struct Options {
        std::string name;
        Pace pace;
        int attempts = 5;
        Backoff::Limits pauses{std::chrono::milliseconds(1000), std::chrono::milliseconds(10'000),
                               std::chrono::milliseconds(std::chrono::minutes(5))};
    };
    Channel(Options options, std::unique_ptr<Sender> sender, Clock& clock, Logger& log);
    ~Channel();

    void add(const Alert& alert, const std::vector<std::string>& to);
    ChannelStatus status() const;

    /// Sends what waits, at once and once, for at most `at_most` of real time; the rest is lost. Blocks.
    void stop(std::chrono::milliseconds at_most);

private:
    void arm();
    void send_due(bool at_once);
    void attempt(bool is_last);
    void lose(const Message& message);

    const Options options_;
    const std::unique_ptr<Sender> sender_;
    Logger& log_;
    Loop loop_;
    std::stop_source stop_sending_;

    mutable std::mutex mutex_;  // never held while something is sent
    Piles piles_;
    bool woken_ = false;
    ChannelStatus status_;

    // Of the channel's thread.
    std::optional<Message> current_;  // that could not be sent yet
    Backoff backoff_;
    Loop::Handle timer_;

    bool stopped_ = false;
    std::jthread thread_;
};

}  // namespace sg::alerts
