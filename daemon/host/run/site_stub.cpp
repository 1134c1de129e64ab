#include "host/run/site_stub.hpp"

#include <exception>
#include <sg/event.hpp>
#include <utility>

namespace sg::host {

void SiteCalls::set_at_once(std::size_t at_once) {
    std::lock_guard lock(mutex_);
    at_once_ = at_once > 0 ? at_once : 1;
}

Result<std::string> SiteCalls::call(Request request, std::stop_token stop, const OnProgress& on_progress) {
    turn_.hand_over();
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
    auto& call = place->second;
    std::exception_ptr thrown;
    for (;;) {
        changed_.wait(lock, stop, [&] { return closed_ || call.answer || call.news; });
        if (call.answer || !call.news || closed_ || stop.stop_requested()) break;
        const auto news = *std::exchange(call.news, std::nullopt);
        lock.unlock();
        try {
            on_progress(news.done, news.total);
        } catch (...) {
            thrown = std::current_exception();
        }
        lock.lock();
        if (thrown) break;
    }
    auto result = std::move(call.answer);
    waiting_.erase(place);
    changed_.notify_all();
    lock.unlock();
    if (!result) channel_.send(CancelRequest{id}, HostChannel::WhenFull::wait);
    if (thrown) std::rethrow_exception(thrown);
    return result ? std::move(*result) : stopped();
}

void SiteCalls::answer(Answer answer) {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(answer.request);
    if (found == waiting_.end()) return;
    found->second.answer = std::move(answer.result);
    changed_.notify_all();
}

void SiteCalls::progress(const Progress& progress) {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(progress.request);
    if (found == waiting_.end()) return;
    found->second.news = progress;
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
                   const nlohmann::json& arguments, std::stop_token stop, const OnProgress& progress) {
    request.method = method;
    request.progress = static_cast<bool>(progress);
    try {
        request.arguments = arguments.dump();
    } catch (const nlohmann::json::exception&) {
        throw Error(Cause::invalid, "the arguments of '" + request.method + "' are not valid UTF-8");
    }
    auto answer = calls.call(std::move(request), std::move(stop), progress);
    if (!answer) throw Error(answer.error().cause, answer.error().message, answer.error().site_code);
    auto value = nlohmann::json::parse(*answer, nullptr, false);
    if (value.is_discarded()) throw Error(Cause::bad_answer, "the site's answer is not JSON");
    return value;
}

}  // namespace

nlohmann::json SiteStub::call_with_progress(std::string_view method, const nlohmann::json& arguments,
                                            const OnProgress& progress) {
    Request request;
    request.callback = from_.callback;
    if (from_.event != nullptr) {
        request.event = from_.event->id();
        request.session_uuid = from_.event->session_uuid();
    }
    return ask(calls_, std::move(request), method, arguments, stop_, progress);
}

nlohmann::json LastingSite::call_with_progress(std::string_view method, const nlohmann::json& arguments,
                                               const OnProgress& progress) {
    Request request;
    request.callback = from_.callback;
    request.event = from_.event;
    request.session_uuid = from_.session_uuid;
    return ask(calls_, std::move(request), method, arguments, stop_, progress);
}

}  // namespace sg::host
