#pragma once
// Whether the site answers, and what is said about it.

#include <optional>
#include <set>
#include <sg/logger.hpp>
#include <string>

#include "stream/stream.hpp"
#include "util/backoff.hpp"
#include "util/clock.hpp"

namespace sg::stream {

/// An outage has a beginning, an escalation and an end, each logged once.
///
/// Threads: one.
class Outage {
public:
    Outage(const Settings& settings, Clock& clock, Logger& log);

    /// An attempt failed: how long to pause before the next.
    std::chrono::milliseconds failed(const Failure& why);

    /// When `escalate` should be called should no attempt have ended by then; nullopt: not in this outage.
    std::optional<Clock::Time> escalation_due() const;

    /// The outage has lasted long enough for somebody to be told.
    void escalate();

    /// An attempt succeeded.
    void answered(State level_or_catching_up);

    /// Nothing but the live poll may ask now.
    bool is_out() const noexcept { return attempts_ > 0; }
    bool has_answered() const noexcept { return has_answered_; }
    State state() const noexcept { return state_; }
    std::chrono::system_clock::time_point since() const noexcept { return since_; }
    const std::string& last_error() const noexcept { return last_error_; }

private:
    void enter(State state);
    bool once(std::string_view code) { return said_.emplace(code).second; }
    void say(const Failure& why, bool refused, std::chrono::milliseconds pause);
    void say_down();

    const Settings& settings_;
    Clock& clock_;
    Logger& log_;
    Backoff backoff_;
    Backoff slow_;
    State state_ = State::waiting;
    std::chrono::system_clock::time_point since_;
    bool has_answered_ = false;
    std::uint32_t attempts_ = 0;  // failed ones in a row
    Clock::Time began_{};
    std::set<std::string, std::less<>> said_;  // codes, in this outage
    std::string last_error_;
    Failure last_;
};

}  // namespace sg::stream
