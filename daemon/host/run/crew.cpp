#include "host/run/crew.hpp"

#include <algorithm>
#include <utility>

#include "util/thread.hpp"

namespace sg::host {

Crew::Crew(HostState& host, RunPage& page, Outbox& outbox, const std::vector<LoadedCallback>& callbacks)
    : host_(host), page_(page), outbox_(outbox), callbacks_(callbacks), order_(callbacks) {
    int most = 1;
    for (const auto& callback : callbacks) most = std::max(most, callback.info.concurrency);
    workers_.resize(static_cast<std::size_t>(most));
    for (std::size_t slot = 0; slot < workers_.size(); ++slot)
        workers_[slot].thread = start_thread("sg-call-" + std::to_string(slot + 1),
                                             [this, slot](std::stop_token) { work(slot); });
}

Crew::~Crew() {
    stop();
    finish();
}

void Crew::add(std::vector<Delivery> batch) {
    std::vector<std::shared_ptr<Work>> prepared;
    for (auto& delivery : batch) prepared.push_back(order_.prepare(std::move(delivery)));
    std::lock_guard lock(mutex_);
    for (auto& work : prepared) order_.add(std::move(work));
    changed_.notify_all();
}

void Crew::drain() {
    std::lock_guard lock(mutex_);
    draining_ = true;
    changed_.notify_all();
}

void Crew::stop() {
    std::vector<std::stop_source> running;
    {
        std::lock_guard lock(mutex_);
        draining_ = stopping_ = true;
        for (const auto& worker : workers_) running.push_back(worker.stop);
        changed_.notify_all();
    }
    // Runs what the plugin hung on them: no lock is held.
    for (auto& one : running) one.request_stop();
}

void Crew::stop_call(std::uint64_t sequence) {
    std::optional<std::stop_source> stop;
    {
        std::lock_guard lock(mutex_);
        // Taken away: the next call there must not be asked.
        for (auto& worker : workers_)
            if (worker.sequence == sequence) stop = std::exchange(worker.stop, std::stop_source());
    }
    if (stop) stop->request_stop();
}

void Crew::finish() {
    for (auto& worker : workers_)
        if (worker.thread.joinable()) worker.thread.join();
}

void Crew::work(std::size_t slot) {
    for (;;) {
        std::shared_ptr<Work> next;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return draining_ || (next = order_.take()) != nullptr; });
        }
        if (!next) return;
        run(slot, *next);
        std::lock_guard lock(mutex_);
        order_.done(*next);
        changed_.notify_all();
    }
}

void Crew::run(std::size_t slot, const Work& work) {
    const auto& callbacks = work.delivery.callbacks;
    for (std::size_t i = 0; i < callbacks.size(); ++i) {
        const auto index = callbacks[i];
        if (index >= callbacks_.size()) continue;
        const auto stop = begin(slot, work.event.id(), index);
        if (!stop) return;
        const auto now = std::chrono::steady_clock::now();
        auto outcome =
            Call(host_, callbacks_[index], index, work.delivery, work.event, *stop, now).run(work.event);
        end(slot, std::move(outcome), i + 1 == callbacks.size());
    }
}

/// None when no call may begin.
std::optional<std::stop_token> Crew::begin(std::size_t slot, EventId event, std::uint16_t callback) {
    std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
    auto& worker = workers_[slot];
    worker.sequence = ++begun_;
    page_.begin_beside({worker.sequence, event, callback}, slot);
    return worker.stop.get_token();
}

void Crew::end(std::size_t slot, Outcome outcome, bool ends_event) {
    bool is_idle = false;
    {
        std::lock_guard lock(mutex_);
        workers_[slot].sequence = 0;
        is_idle = ends_event && order_.size() == 1;
    }
    std::lock_guard lock(end_mutex_);
    page_.end_beside(outcome, ++ended_, slot);
    outbox_.add(ended_, std::move(outcome), is_idle ? Outbox::Flush::now : Outbox::Flush::later);
}

}  // namespace sg::host
