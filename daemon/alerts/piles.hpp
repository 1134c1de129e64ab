#pragma once
// Alerts that wait to be told, by whom they are for.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerts/alert.hpp"
#include "util/clock.hpp"

namespace sg::alerts {

/// How often people are told.
struct Pace {
    std::chrono::milliseconds gather{10'000};                  ///< what comes within is one message
    std::chrono::milliseconds pause{std::chrono::minutes(5)};  ///< between two messages to the same people
    std::size_t told = 20;                                     ///< alerts told in full; the rest is counted
};

/// Groups alerts. However many come, what waits is bounded: of each pile `told` alerts are kept and the rest
/// is counted.
///
/// Threads: one at a time.
class Piles {
public:
    explicit Piles(Pace pace) : pace_(pace) {}

    void add(const Alert& alert, const std::vector<std::string>& to, Clock::Time now);

    /// When the next message is due; nullopt: nothing waits.
    std::optional<Clock::Time> due() const;

    /// The message that is due at `now`, or with `at_once` any that waits.
    std::optional<Message> take(Clock::Time now, bool at_once = false);

    /// The people of `message` were told: they are left alone for a while.
    void told(const Message& message, Clock::Time now);

    std::size_t waiting() const noexcept { return waiting_; }

private:
    struct Pile {
        Message message;
        Clock::Time begun{};
        std::optional<Clock::Time> not_before;
    };
    Clock::Time due_of(const Pile& pile) const;

    const Pace pace_;
    std::map<std::vector<std::string>, Pile> piles_;
    std::size_t waiting_ = 0;
};

}  // namespace sg::alerts
