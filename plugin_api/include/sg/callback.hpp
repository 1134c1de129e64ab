#pragma once
// How a plugin's function reaches the daemon: behind one virtual call that is handed a completion.

#include <functional>
#include <memory>
#include <sg/async.hpp>
#include <sg/completion.hpp>
#include <sg/context.hpp>
#include <sg/event.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace sg {

/// A callback as the host sees it. A plugin does not derive from this: it hands in a function.
class CallbackBase {
public:
    virtual ~CallbackBase() = default;

    /// Runs the callback on one event and tells `done` once. It may return before that: the event
    /// is running until `done` is told, and `event` and `context` live as long. What it throws
    /// counts as `failed`.
    virtual void start(const Event& event, Context& context, Completion& done) = 0;

    /// Asked only where the registration says `KeepOrder::by_key`: events with equal keys keep their order.
    virtual std::string key(const Event& /*event*/) { return {}; }
};

/// Wraps a function, function object or lambda `void(const Event&, Context&)`, or a coroutine that
/// returns `sg::Async`: then its event is running until the coroutine has ended.
///
/// The function object is moved or copied in once, lives as long as the plugin is loaded, and is
/// where state that calls share belongs: captured by a lambda, or members. It is called for one
/// event at a time unless its registration says otherwise, so they need no lock.
class Callback {
public:
    Callback() = default;

    template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Callback>>>
    Callback(
        F&& function)  // NOLINT(google-explicit-constructor): a registration reads `.callback = on_status`
    {
        static_assert(std::is_invocable_v<std::decay_t<F>&, const Event&, Context&>,
                      "a callback takes (const sg::Event&, sg::Context&)");
        using Returned = std::invoke_result_t<std::decay_t<F>&, const Event&, Context&>;
        static_assert(std::is_void_v<Returned> || std::is_same_v<Returned, Async>,
                      "a callback returns void, or sg::Async if it is a coroutine");
        if constexpr (std::is_pointer_v<std::remove_reference_t<F>>)
            if (function == nullptr) return;  // as good as no callback: the registration says so
        base_ = std::make_unique<Returning<std::decay_t<F>>>(std::forward<F>(function));
    }

    explicit operator bool() const noexcept { return base_ != nullptr; }
    std::unique_ptr<CallbackBase> release() noexcept { return std::move(base_); }

private:
    template <class F>
    class Returning final : public CallbackBase {
    public:
        explicit Returning(F function) : function_(std::move(function)) {}
        void start(const Event& event, Context& context, Completion& done) override {
            if constexpr (std::is_void_v<std::invoke_result_t<F&, const Event&, Context&>>) {
                std::invoke(function_, event, context);
                done.succeeded();
            } else {
                std::invoke(function_, event, context).tell_when_ended(done);
            }
        }

    private:
        F function_;
    };

    std::unique_ptr<CallbackBase> base_;
};

/// A callback that also says which events belong together. Called by `Registrar` only.
inline std::unique_ptr<CallbackBase> keyed(std::unique_ptr<CallbackBase> callback,
                                           std::function<std::string(const Event&)> key) {
    class Keyed final : public CallbackBase {
    public:
        Keyed(std::unique_ptr<CallbackBase> callback, std::function<std::string(const Event&)> key)
            : callback_(std::move(callback)), key_(std::move(key)) {}
        void start(const Event& event, Context& context, Completion& done) override {
            callback_->start(event, context, done);
        }
        std::string key(const Event& event) override { return key_(event); }

    private:
        std::unique_ptr<CallbackBase> callback_;
        std::function<std::string(const Event&)> key_;
    };
    return std::make_unique<Keyed>(std::move(callback), std::move(key));
}

}  // namespace sg
