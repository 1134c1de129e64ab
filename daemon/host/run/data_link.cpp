#include "host/run/data_link.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "tasks/failure_text.hpp"
#include "util/thread.hpp"

namespace sg::host {
namespace {

using nlohmann::json;

json bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) throw Error(Cause::internal, "reading " + file + ": " + std::strerror(errno));
    return json::binary(std::move(bytes));
}

}  // namespace

DataLink::DataLink(HostChannel& channel, LinkTurn& turn, std::shared_ptr<tasks::Pool> pool)
    : channel_(channel), turn_(turn), pool_(std::move(pool)) {
    thread_ = start_thread("sg-data", [this](const std::stop_token& stop) { run(stop); });
}

void DataLink::send(const TaskPtr& request, AskData ask, int priority, Image image) {
    turn_.hand_over();
    const auto id = request->uid().value();
    ask.id = id;
    bool is_late = false;
    {
        std::lock_guard lock(mutex_);
        is_late = closed_;
        const Place place{-priority, id};
        open_[id] = {request, image, place, ask.bytes(), false};
        line_[place] = std::move(ask);
        changed_.notify_all();
    }
    pool_->watch(*request, [weak = weak_from_this(), id](const detail::Core&) {
        if (const auto alive = weak.lock()) alive->on_end(id);
    });
    if (is_late) request->stop();
}

/// However it ended: what is still open here was not ended by an answer.
void DataLink::on_end(std::uint64_t id) {
    decltype(open_)::node_type ended;  // let go of without the lock
    std::lock_guard lock(mutex_);
    ended = open_.extract(id);
    if (!ended) return;
    forget(ended.mapped());
    if (ended.mapped().is_sent) control_.push_back(StopData{id});
    changed_.notify_all();
}

void DataLink::forget(const Open& open) {
    if (!open.is_sent) {
        line_.erase(open.place);
        return;
    }
    --asked_;
    asked_bytes_ -= open.bytes;
}

bool DataLink::has_room() const {
    if (line_.empty() || asked_ >= most_data_requests) return false;
    return asked_ == 0 || asked_bytes_ + line_.begin()->second.bytes() <= most_data_bytes;
}

void DataLink::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto is_due = [this] { return !came_.empty() || !control_.empty() || has_room(); };
        if (!changed_.wait(lock, stop, is_due)) return;
        if (!came_.empty()) {
            auto next = std::move(came_.front());
            came_.pop_front();
            if (const auto* cleared = std::get_if<DataCleared>(&next)) {
                if (const auto found = clearings_.find(cleared->clearing); found != clearings_.end())
                    found->second = static_cast<std::size_t>(cleared->requests);
                changed_.notify_all();
                continue;
            }
            lock.unlock();
            end(std::move(std::get<DataAnswer>(next)));
        } else if (!control_.empty()) {
            auto next = std::move(control_.front());
            control_.pop_front();
            lock.unlock();
            channel_.send(std::move(next), HostChannel::WhenFull::wait);
        } else {
            send_next(lock);
        }
        lock.lock();
    }
}

/// Lets go of the lock.
void DataLink::send_next(std::unique_lock<std::mutex>& lock) {
    auto next = std::move(line_.begin()->second);
    line_.erase(line_.begin());
    const auto id = next.id;
    auto& open = open_.at(id);
    const auto request = open.request;
    open.is_sent = true;
    ++asked_;
    asked_bytes_ += open.bytes;
    lock.unlock();
    if (channel_.send(std::move(next), HostChannel::WhenFull::wait)) return;
    // The link has ended, or it does not fit.
    end({id, fail(Cause::invalid, "the arguments are too large to be sent")});
}

void DataLink::take(DataAnswer answer) {
    std::lock_guard lock(mutex_);
    came_.emplace_back(std::move(answer));
    changed_.notify_all();
}

void DataLink::take(DataCleared cleared) {
    std::lock_guard lock(mutex_);
    came_.emplace_back(cleared);
    changed_.notify_all();
}

void DataLink::end(DataAnswer answer) {
    decltype(open_)::node_type ended;
    {
        std::lock_guard lock(mutex_);
        ended = open_.extract(answer.request);
        if (!ended) return;
        forget(ended.mapped());
    }
    auto& request = *ended.mapped().request;
    if (answer.result)
        end(request, ended.mapped().image, *answer.result);
    else if (answer.result.error().cause == Cause::stopped)
        request.stop();
    else
        fail_with(request, answer.result.error());
}

void DataLink::end(tasks::Task& request, Image image, const std::string& text) {
    try {
        auto said = json::parse(text);
        auto reply = std::make_shared<Reply>();
        reply->type = said.at("type").get<std::string>();
        reply->data = std::move(said.at("data"));
        const auto path = reply->data.find("thumb_path");
        if (image == Image::load && path != reply->data.end() && path->is_string())
            reply->data["image"] = bytes_of(path->get<std::string>());
        pool_->end_request(request, std::move(reply), nullptr);
    } catch (...) {
        pool_->end_request(request, nullptr, tasks::current_failure(request));
    }
}

void DataLink::fail_with(tasks::Task& request, const Failure& why) {
    try {
        throw Error(why.cause, why.message.empty() ? std::string(to_string(why.cause)) : why.message,
                    why.site_code);
    } catch (const Error&) {
        pool_->end_request(request, nullptr, tasks::current_failure(request));
    }
}

std::size_t DataLink::clear() {
    turn_.hand_over();
    std::vector<TaskPtr> held_back;
    std::uint64_t clearing = 0;
    {
        std::lock_guard lock(mutex_);
        for (auto at = open_.begin(); at != open_.end();) {
            if (at->second.is_sent) {
                ++at;
                continue;
            }
            held_back.push_back(std::move(at->second.request));
            line_.erase(at->second.place);
            at = open_.erase(at);
        }
        if (asked_ > 0 && !closed_) {
            clearing = ++last_clearing_;
            clearings_[clearing] = std::nullopt;
            control_.push_back(ClearData{clearing});
            changed_.notify_all();
        }
    }
    std::size_t cleared = 0;
    for (const auto& request : held_back)
        if (request->stop()) ++cleared;
    if (clearing == 0) return cleared;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || clearings_.at(clearing).has_value(); });
    cleared += clearings_.at(clearing).value_or(0);
    clearings_.erase(clearing);
    return cleared;
}

void DataLink::close() {
    std::vector<TaskPtr> left;
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& [id, open] : open_) left.push_back(open.request);
        changed_.notify_all();
    }
    for (const auto& request : left) request->stop();
}

void DataLink::end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sg::host
