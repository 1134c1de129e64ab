#pragma once
// The return type of a coroutine.

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <sg/completion.hpp>
#include <sg/error.hpp>
#include <type_traits>
#include <utility>

namespace sg {
namespace detail {

/// How a coroutine ended, and who is told: shared by its frame and its `Async`.
class AsyncState {
public:
    /// Once, with the frame gone. Whoever waits goes on here.
    void end(std::exception_ptr why) noexcept {
        Completion* done = nullptr;
        std::coroutine_handle<> waiting;
        {
            std::lock_guard lock(mutex_);
            ended_ = true;
            done = std::exchange(done_, nullptr);
            waiting = std::exchange(waiting_, nullptr);
            if (done == nullptr) why_ = why;
        }
        if (done != nullptr) tell(*done, std::move(why));
        if (waiting) waiting.resume();
    }

    void tell_when_ended(Completion& done) noexcept {
        std::exception_ptr why;
        {
            std::lock_guard lock(mutex_);
            if (!ended_) {
                done_ = &done;
                return;
            }
            why = std::exchange(why_, nullptr);
        }
        tell(done, std::move(why));
    }

    /// False if it has ended: then nobody is resumed.
    bool resume_when_ended(std::coroutine_handle<> waiting, std::shared_ptr<AsyncState> parent) noexcept {
        std::lock_guard lock(mutex_);
        if (ended_) return false;
        waiting_ = waiting;
        parent_ = std::move(parent);
        return true;
    }

    void rethrow() {
        std::unique_lock lock(mutex_);
        const auto why = std::exchange(why_, nullptr);
        lock.unlock();
        if (why) std::rethrow_exception(why);
    }

    void detach() noexcept {
        std::lock_guard lock(mutex_);
        detached_ = true;
    }

    /// Throws what a detached coroutine, this one or one that waited for it, ended with.
    void rethrow_escaped() {
        std::unique_lock lock(mutex_);
        const auto parent = std::exchange(parent_, nullptr);
        const auto why = detached_ ? std::exchange(why_, nullptr) : nullptr;
        lock.unlock();
        if (parent) parent->rethrow_escaped();
        if (why) rethrow_unless_stopped(why);
    }

    static void rethrow_unless_stopped(const std::exception_ptr& why) {
        try {
            std::rethrow_exception(why);
        } catch (const Error& error) {
            if (error.cause() != Cause::stopped) throw;
        }
    }

private:
    static void tell(Completion& done, std::exception_ptr why) noexcept {
        if (why)
            done.failed(std::move(why));
        else
            done.succeeded();
    }

    std::mutex mutex_;
    bool ended_ = false, detached_ = false;
    std::exception_ptr why_;
    Completion* done_ = nullptr;
    std::coroutine_handle<> waiting_;
    std::shared_ptr<AsyncState> parent_;
};

}  // namespace detail

/// What a coroutine returns: a callback, a slot of a signal, or a step of either.
///
/// It runs at once, up to its first wait. As a callback its event is running until it ends, and
/// what it throws is the callback's. Another coroutine waits for it with `co_await`; a slot hands
/// it back. Anybody else says `detach()`.
///
/// Arguments that are references must live until it ends: a callback's event and context do.
class [[nodiscard]] Async {
public:
    class promise_type {
    public:
        promise_type() : state_(std::make_shared<detail::AsyncState>()) {}
        promise_type(const promise_type&) = delete;
        promise_type& operator=(const promise_type&) = delete;
        ~promise_type() {
            if (state_)
                state_->end(std::make_exception_ptr(
                    Error(Cause::internal, "a coroutine was destroyed before it had ended")));
        }

        Async get_return_object() { return Async(state_); }
        std::suspend_never initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept { return End{}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { why_ = std::current_exception(); }
        const std::shared_ptr<detail::AsyncState>& state() const noexcept { return state_; }

    private:
        struct End {
            bool await_ready() const noexcept { return false; }
            // The frame goes first: whoever is told may let go of all that it used.
            void await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
                const auto state = std::exchange(ended.promise().state_, nullptr);
                auto why = std::exchange(ended.promise().why_, nullptr);
                ended.destroy();
                state->end(std::move(why));
            }
            void await_resume() const noexcept {}
        };

        std::shared_ptr<detail::AsyncState> state_;
        std::exception_ptr why_;
    };

    Async(Async&&) noexcept = default;
    Async& operator=(Async&&) noexcept = default;

    /// Lets it run by itself. Throws what it has ended with already; what it ends with later goes
    /// where errors of slots go, if work that it waited for resumed it, and is lost otherwise.
    /// That it was stopped is no error.
    void detach() {
        state_->detach();
        state_->rethrow_escaped();
    }

    /// For the host, in place of `detach`: `done` is told once it has ended.
    void tell_when_ended(Completion& done) { state_->tell_when_ended(done); }

    class Awaiter {
    public:
        explicit Awaiter(std::shared_ptr<detail::AsyncState> state) : state_(std::move(state)) {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> waiting) {
            std::shared_ptr<detail::AsyncState> parent;
            if constexpr (std::is_same_v<Promise, promise_type>) parent = waiting.promise().state();
            return state_->resume_when_ended(waiting, std::move(parent));
        }
        void await_resume() { state_->rethrow(); }

    private:
        std::shared_ptr<detail::AsyncState> state_;
    };

    /// Waits until it has ended; throws what it threw. Once.
    Awaiter operator co_await() & { return Awaiter(state_); }

    /// Keep it in a variable first; see `Pending`.
    Awaiter operator co_await() && = delete;

private:
    explicit Async(std::shared_ptr<detail::AsyncState> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::AsyncState> state_;
};

namespace detail {

/// A slot of a signal, which may be a coroutine.
template <class... Args, class F>
std::function<void(Args...)> wrap_slot(std::type_identity<std::function<void(Args...)>>, F slot) {
    if constexpr (std::is_same_v<std::invoke_result_t<F&, Args...>, Async>)
        return [slot = std::move(slot)](Args... args) mutable { slot(args...).detach(); };
    else
        return std::function<void(Args...)>(std::move(slot));
}

}  // namespace detail
}  // namespace sg
