#pragma once
// Work that has been started and not ended yet, and the ways to wait for it.

#include <charconv>
#include <compare>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <sg/async.hpp>
#include <sg/error.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sg {

/// Names one piece of work: unique in the process, never used again, rising in the order in which
/// work was handed in. 0 is nobody's.
class Uid {
public:
    constexpr Uid() = default;
    constexpr explicit Uid(std::uint64_t value) : value_(value) {}

    /// What `str` gave; nullopt for anything but the decimal digits of a number above 0.
    static std::optional<Uid> parse(std::string_view text) {
        std::uint64_t value = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc{} || stop != end || value == 0) return std::nullopt;
        return Uid(value);
    }
    std::string str() const { return std::to_string(value_); }
    constexpr std::uint64_t value() const noexcept { return value_; }
    constexpr explicit operator bool() const noexcept { return value_ != 0; }
    friend constexpr auto operator<=>(Uid, Uid) = default;

private:
    std::uint64_t value_ = 0;
};

/// The awaited work was stopped.
struct Stopped : Error {
    explicit Stopped(const std::string& message = "the work was stopped") : Error(Cause::stopped, message) {}
};
/// Work was handed to what had been shut down.
struct Closed : Error {
    explicit Closed(const std::string& message = "shut down: no more work is taken")
        : Error(Cause::stopped, message) {}
};
/// The limit on queued work is reached.
struct QueueFull : Error {
    explicit QueueFull(const std::string& message) : Error(Cause::busy, message) {}
};
/// The work ran longer than it was allowed to.
struct TimedOut : Error {
    explicit TimedOut(const std::string& message) : Error(Cause::timed_out, message) {}
};
/// This wait would need the very thread that it holds.
struct Deadlock : Error {
    explicit Deadlock(const std::string& message) : Error(Cause::internal, message) {}
};

/// How far a piece of work is. `settled`: its end is known and futures have it, but its signal has
/// not been delivered yet; the last three are for ever.
enum class TaskState : std::uint8_t { waiting, ready, running, settled, completed, failed, stopped };

namespace detail {

using Box = std::shared_ptr<const void>;  ///< a value; empty for void

/// One outcome and who waits for it. A plugin does not derive from this.
class Core {
public:
    virtual ~Core() = default;
    virtual Uid uid() const noexcept = 0;
    virtual TaskState state() const noexcept = 0;
    virtual bool stop() = 0;

    /// Throws `Deadlock` where a wait on this thread could not end.
    virtual void check_wait() const = 0;

    /// Once settled: the value, or what the work ended with is thrown.
    virtual const Box& outcome() const = 0;

    /// Calls `then` once, when the outcome is there: on the thread that settles it, or here and now
    /// if it is settled; with `on_executor` always later, as a run of its own on the executor.
    /// `ticket` is written before `then` can run.
    virtual void when_settled(std::uint64_t& ticket, std::function<void(const Core&)> then,
                              bool on_executor) = 0;

    /// The `then` of that ticket is not called any more. On the executor's thread.
    virtual void forget(std::uint64_t ticket) noexcept = 0;
};

}  // namespace detail

/// A piece of work and its outcome: a `T`, or what it ended with instead (`Stopped`, `TimedOut`, or
/// what the work threw). Cheap to copy; while a copy lives the outcome is kept.
///
///     auto sum = context.tasks().async([file](std::stop_token stop) { return checksum(file, stop); });
///     auto text = co_await sum;    // or: sum.get(), which blocks this thread
///
/// Threads: any, except that a coroutine that waits may only be destroyed on the thread that
///          would resume it.
template <class T>
class Pending {
public:
    explicit Pending(std::shared_ptr<detail::Core> core) : core_(std::move(core)) {}

    Uid uid() const noexcept { return core_->uid(); }
    operator Uid() const noexcept { return uid(); }  // NOLINT(google-explicit-constructor): names it
    TaskState state() const noexcept { return core_->state(); }

    /// For the host.
    const std::shared_ptr<detail::Core>& core() const noexcept { return core_; }

    /// Stops the work with what it needs and what needs it; false if it was too late.
    bool stop() const { return core_->stop(); }

    /// Blocks until the outcome is there. Throws `Deadlock` in work that holds a thread of the pool
    /// that this work waits for.
    T get() const { return future().get(); }

    /// Resolves when the work settles, whatever other threads do. Throws as `get`.
    std::shared_future<T> future() const {
        core_->check_wait();
        auto promise = std::make_shared<std::promise<T>>();
        std::uint64_t ticket = 0;
        core_->when_settled(
            ticket, [promise](const detail::Core& core) { resolve(*promise, core); }, false);
        return promise->get_future().share();
    }

    /// What `co_await` waits with.
    class Awaiter {
    public:
        explicit Awaiter(std::shared_ptr<detail::Core> core) : core_(std::move(core)) {}
        Awaiter(const Awaiter&) = delete;
        Awaiter& operator=(const Awaiter&) = delete;
        ~Awaiter() {
            if (ticket_ != 0) core_->forget(ticket_);  // destroyed while it waits: never resumed
        }
        bool await_ready() const noexcept { return false; }

        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> waiting) {
            const auto core = core_;  // this object may be gone before `when_settled` returns
            if constexpr (std::is_same_v<Promise, Async::promise_type>)
                core->when_settled(
                    ticket_,
                    [waiting, state = waiting.promise().state()](const detail::Core&) {
                        waiting.resume();
                        state->rethrow_escaped();
                    },
                    true);
            else
                core->when_settled(
                    ticket_, [waiting](const detail::Core&) { waiting.resume(); }, true);
        }
        T await_resume() {
            ticket_ = 0;
            if constexpr (std::is_void_v<T>)
                static_cast<void>(core_->outcome());
            else
                return *static_cast<const T*>(core_->outcome().get());
        }

    private:
        std::shared_ptr<detail::Core> core_;
        std::uint64_t ticket_ = 0;
    };

    /// Resumes later on the executor (in a callback: its own thread), never within this expression.
    Awaiter operator co_await() const& { return Awaiter(core_); }

    /// Start the work in one statement and wait in the next. g++ 11 and 12 destroy temporaries of a
    /// `co_await` expression twice (a lambda with captures, a brace list), so this does not compile.
    Awaiter operator co_await() const&& = delete;

private:
    static void resolve(std::promise<T>& promise, const detail::Core& core) {
        try {
            if constexpr (std::is_void_v<T>) {
                static_cast<void>(core.outcome());
                promise.set_value();
            } else {
                promise.set_value(*static_cast<const T*>(core.outcome().get()));
            }
        } catch (...) {
            promise.set_exception(std::current_exception());
        }
    }

    std::shared_ptr<detail::Core> core_;
};

}  // namespace sg
