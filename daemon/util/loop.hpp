#pragma once
// One thread that waits for many things.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>

#include "util/clock.hpp"
#include "util/fd.hpp"

namespace sg {

/// An epoll loop with timers on a `Clock`: file descriptors, timers and posted functions run one
/// after another on the thread that calls `run`, so what only they touch needs no lock.
///
/// Nothing that runs here may block. A function that throws ends the process: by then a promise
/// of ours is broken.
///
/// Threads:  `post` and `wake` from any thread; everything else on the loop's own thread, or
///           before it runs.
/// Lifetime: outlives its timers and watches, and whoever may still post.
class Loop {
public:
    explicit Loop(Clock& clock);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    Clock& clock() const noexcept { return clock_; }

    /// Runs `function` soon on the loop's thread, in the order of posting.
    void post(std::function<void()> function);

    /// Cancels what it stands for when it is destroyed; destroying it inside its own function is fine.
    class [[nodiscard]] Handle {
    public:
        Handle() = default;
        Handle(Handle&& other) noexcept = default;
        Handle& operator=(Handle&& other) noexcept;
        ~Handle() { reset(); }
        void reset() noexcept;
        explicit operator bool() const noexcept { return !alive_.expired(); }

    private:
        friend class Loop;
        struct Entry;
        std::shared_ptr<Entry> entry_;
        std::weak_ptr<void> alive_;
    };

    /// Runs `function` once, when the clock has reached `when`.
    Handle at(Clock::Time when, std::function<void()> function);
    Handle after(Clock::Duration pause, std::function<void()> function);

    /// Runs `function` with the epoll bits whenever `fd` is ready for `events` (EPOLLIN, EPOLLOUT);
    /// level-triggered. The descriptor stays the caller's and is closed after the handle.
    Handle watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> function);

    /// Changes what a watch waits for.
    void modify(const Handle& watch, std::uint32_t events);

    /// Runs until a stop is requested; what was posted before that has run when it returns.
    void run(std::stop_token stop);

    /// Waits until something is ready, and runs that: for programs that look after each step.
    void run_some() { turn(true); }

    /// Runs what is ready now and returns how many functions ran. For tests that drive the clock.
    std::size_t run_ready();

private:
    std::size_t turn(bool wait);
    std::size_t run_posted();
    std::size_t run_due();
    void wake() noexcept;
    void cancel(Handle::Entry& entry) noexcept;

    Clock& clock_;
    UniqueFd epoll_;
    UniqueFd wake_;
    int jump_key_ = 0;
    std::mutex posted_mutex_;
    std::deque<std::function<void()>> posted_;
    std::multimap<Clock::Time, std::shared_ptr<Handle::Entry>> timers_;
    std::unordered_map<int, std::shared_ptr<Handle::Entry>> watches_;
    std::shared_ptr<void> alive_;  // handles that outlive the loop do nothing
};

}  // namespace sg
