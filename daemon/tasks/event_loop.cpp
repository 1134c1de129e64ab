#include "tasks/event_loop.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace sg::tasks {

struct EventLoop::Queue {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::vector<std::function<void()>> closures;
    bool is_gone = false;
};

EventLoop::EventLoop() : queue_(std::make_shared<Queue>()) {}

EventLoop::~EventLoop() {
    std::vector<std::function<void()>> dropped;  // destroyed without the lock
    std::lock_guard lock(queue_->mutex);
    queue_->is_gone = true;
    dropped.swap(queue_->closures);
}

Executor EventLoop::executor() {
    return [queue = queue_](std::function<void()> closure) {
        std::lock_guard lock(queue->mutex);
        if (queue->is_gone) return;
        queue->closures.push_back(std::move(closure));
        queue->changed.notify_all();
    };
}

std::size_t EventLoop::poll() {
    std::vector<std::function<void()>> now;
    {
        std::lock_guard lock(queue_->mutex);
        now.swap(queue_->closures);
    }
    for (auto& closure : now) std::exchange(closure, nullptr)();
    return now.size();
}

bool EventLoop::run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
        poll();
        if (done()) return true;
        if (std::chrono::steady_clock::now() >= end) return false;
        // `done` may come true by what another thread does without a closure: looked at now and then.
        std::unique_lock lock(queue_->mutex);
        queue_->changed.wait_for(lock, std::chrono::milliseconds(2),
                                 [&] { return !queue_->closures.empty(); });
    }
}

}  // namespace sg::tasks
