#pragma once
// Time as a dependency.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>

namespace sg {

/// Deadlines use `now()`, which only moves forward; `utc()` is for people and for what is stored.
///
/// Threads: every member from any thread.
class Clock {
public:
    using Duration = std::chrono::steady_clock::duration;
    using Time = std::chrono::steady_clock::time_point;

    virtual ~Clock() = default;
    virtual Time now() const = 0;
    virtual std::chrono::system_clock::time_point utc() const = 0;

    /// How long the caller may sleep until `deadline`: nullopt when only a jump can bring it nearer.
    virtual std::optional<Duration> until(Time deadline) const = 0;

    /// Sleeps until `deadline` or a stop request; true if the deadline came.
    virtual bool sleep_until(Time deadline, std::stop_token stop) = 0;

    /// Calls `woken` whenever a clock that tests drive has moved; kept until `key` is given back.
    virtual int on_jump(std::function<void()> woken) = 0;
    virtual void off_jump(int key) = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
public:
    Time now() const override;
    std::chrono::system_clock::time_point utc() const override;
    std::optional<Duration> until(Time deadline) const override;
    bool sleep_until(Time deadline, std::stop_token stop) override;
    int on_jump(std::function<void()>) override { return 0; }
    void off_jump(int) override {}
};

/// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
public:
    Time now() const override;
    std::chrono::system_clock::time_point utc() const override;
    std::optional<Duration> until(Time deadline) const override;
    bool sleep_until(Time deadline, std::stop_token stop) override;
    int on_jump(std::function<void()> woken) override;
    void off_jump(int key) override;

    /// Moves both clocks forward and wakes whoever waits.
    void advance(Duration by);

    /// Moves the wall clock alone, as an administrator or a time zone might.
    void set_utc(std::chrono::system_clock::time_point utc);

private:
    mutable std::mutex mutex_;
    std::condition_variable_any moved_;
    std::mutex waking_;  // taken first; guards the last two
    Time now_{std::chrono::hours(1)};
    std::chrono::system_clock::time_point utc_{std::chrono::sys_days{std::chrono::year{2026} / 3 / 4}};
    std::map<int, std::function<void()>> woken_;
    int next_key_ = 1;
};

}  // namespace sg
