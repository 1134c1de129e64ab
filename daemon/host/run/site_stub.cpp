#include "host/run/site_stub.hpp"

#include <sg/event.hpp>

namespace sg::host {

void SiteCalls::set_at_once(std::size_t at_once) {
    std::lock_guard lock(mutex_);
    at_once_ = at_once > 0 ? at_once : 1;
}

Result<std::string> SiteCalls::call(Request request, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    const auto stopped = [] { return fail(Cause::stopped, "the call was stopped"); };
    changed_.wait(lock, stop, [this] { return closed_ || waiting_.size() < at_once_; });
    if (closed_ || stop.stop_requested()) return stopped();
    const auto id = ++last_id_;
    const auto place = waiting_.try_emplace(id).first;
    request.id = id;
    lock.unlock();
    const bool sent = channel_.send(std::move(request), HostChannel::WhenFull::wait);
    lock.lock();
    if (!sent) {
        waiting_.erase(place);
        changed_.notify_all();
        if (closed_ || stop.stop_requested()) return stopped();
        return fail(Cause::invalid, "the arguments are too large to be sent");
    }
    changed_.wait(lock, stop, [&] { return closed_ || place->second.has_value(); });
    auto result = std::move(place->second);
    waiting_.erase(place);
    changed_.notify_all();
    if (result) return std::move(*result);
    lock.unlock();
    channel_.send(CancelRequest{id}, HostChannel::WhenFull::wait);
    return stopped();
}

void SiteCalls::answer(Answer answer) {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(answer.request);
    if (found == waiting_.end()) return;
    found->second = std::move(answer.result);
    changed_.notify_all();
}

void SiteCalls::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

namespace {

/// `request` says on whose behalf.
nlohmann::json ask(SiteCalls& calls, Request request, std::string_view method,
                   const nlohmann::json& arguments, std::stop_token stop) {
    request.method = method;
    try {
        request.arguments = arguments.dump();
    } catch (const nlohmann::json::exception&) {
        throw Error(Cause::invalid, "the arguments of '" + request.method + "' are not valid UTF-8");
    }
    auto answer = calls.call(std::move(request), std::move(stop));
    if (!answer) throw Error(answer.error().cause, answer.error().message, answer.error().site_code);
    auto value = nlohmann::json::parse(*answer, nullptr, false);
    if (value.is_discarded()) throw Error(Cause::bad_answer, "the site's answer is not JSON");
    return value;
}

}  // namespace

nlohmann::json SiteStub::call(std::string_view method, const nlohmann::json& arguments) {
    Request request;
    request.callback = from_.callback;
    if (from_.event != nullptr) {
        request.event = from_.event->id();
        request.session_uuid = from_.event->session_uuid();
    }
    return ask(calls_, std::move(request), method, arguments, from_.stop);
}

nlohmann::json LastingSite::call(std::string_view method, const nlohmann::json& arguments) {
    Request request;
    request.callback = from_.callback;
    request.event = from_.event;
    request.session_uuid = from_.session_uuid;
    return ask(calls_, std::move(request), method, arguments, stop_);
}

}  // namespace sg::host
