#include "host/run/call.hpp"

#include <cxxabi.h>
#include <fmt/format.h>
#include <cstdlib>
#include <typeinfo>

namespace sg::host {
namespace {

constexpr std::size_t longest_reason = 4096;

std::string readable(const std::type_info* type) {
    if (type == nullptr) return "something unknown";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free);
    return name ? name.get() : type->name();
}

}  // namespace

Reason current_reason() {
    Reason reason;
    try {
        throw;
    } catch (const Error& error) {
        reason = {error.cause(), error.what()};
    } catch (const std::exception& error) {
        reason.text = fmt::format("{}: {}", readable(&typeid(error)), error.what());
    } catch (...) {
        reason.text = fmt::format("threw a value of type '{}', which is not a std::exception",
                                  readable(abi::__cxa_current_exception_type()));
    }
    if (reason.text.size() > longest_reason) reason.text.resize(longest_reason);
    return reason;
}

Call::Call(HostState& host, const LoadedCallback& callback, std::uint16_t index, const Delivery& delivery,
           const Event& event, const std::stop_token& stop, std::chrono::steady_clock::time_point begun)
    : host_(host),
      callback_(callback),
      delivery_(delivery),
      stop_(stop),
      site_(host.site_calls, {index, &event}, stop),
      logger_(host.log, index, event.id()),
      tasks_(host.tasks, stop),
      event_(event),
      begun_(begun) {
    outcome_.event = event.id();
    outcome_.callback = index;
}

Outcome Call::run(const Event& event) noexcept {
    try {
        callback_.run->start(event, *this, *this);
    } catch (...) {
        failed(std::current_exception());
    }
    if (!done_here_) {
        host_.turn.hand_over();
        std::unique_lock lock(host_.done_mutex);
        host_.done_changed.wait(lock, [this] { return done_elsewhere_; });
    }
    outcome_.duration =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun_);
    return std::move(outcome_);
}

const nlohmann::json& Call::args() const { return callback_.args.is_null() ? host_.args : callback_.args; }

/// The event's number first, then the plugin's file name, which has no slash, and the site, which
/// has no blank: no two calls can read the same.
std::string_view Call::idempotency_key() const noexcept {
    std::call_once(key_made_, [this] {
        key_ = fmt::format("{}/{}/{} {}", outcome_.event, host_.settings.plugin, host_.settings.site,
                           callback_.info.name);
    });
    return key_;
}

std::optional<std::chrono::steady_clock::time_point> Call::deadline() const noexcept {
    if (!host_.settings.hard_deadline) return std::nullopt;
    return begun_ + *host_.settings.hard_deadline;
}

DataRetriever& Call::retriever() {
    std::call_once(retriever_made_,
                   [this] { retriever_.emplace(host_.retriever, outcome_.callback, event_, stop_); });
    return *retriever_;
}

const std::vector<EventId>& Call::merged() const {
    std::call_once(merged_made_, [this] {
        merged_ = delivery_.merged;
        merged_.push_back(outcome_.event);
    });
    return merged_;
}

void Call::succeeded() noexcept { finish(std::nullopt); }

void Call::failed(std::exception_ptr why) noexcept {
    Reason reason;
    try {
        if (why) std::rethrow_exception(std::move(why));
        reason.text = "failed without saying why";
    } catch (...) {
        reason = current_reason();
    }
    finish(std::move(reason));
}

void Call::finish(std::optional<Reason> failure) noexcept {
    if (done_.exchange(true, std::memory_order_acq_rel)) return;
    if (failure) {
        outcome_.ok = false;
        outcome_.cause = failure->cause;
        outcome_.error = std::move(failure->text);
    }
    if (std::this_thread::get_id() == thread_) {
        done_here_ = true;
        return;
    }
    auto& host = host_;
    std::lock_guard lock(host.done_mutex);
    done_elsewhere_ = true;  // this object may be gone as soon as the lock is free
    host.done_changed.notify_all();
}

}  // namespace sg::host
