#pragma once
// A thread for what blocks on the disk.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "util/thread.hpp"

namespace sg::plugins {

/// Does one thing after another. Bounded by its callers: a plugin has at most one build on its way, and
/// a watcher one scan.
///
/// Threads:  `add` from any.
/// Lifetime: the destructor finishes what runs and drops what waits.
class FileWorker {
public:
    FileWorker() {
        thread_ = start_thread("sg-plugin-files", [this](std::stop_token stop) { run(stop); });
    }
    void add(std::function<void()> work) {
        std::lock_guard lock(mutex_);
        queue_.push_back(std::move(work));
        changed_.notify_one();
    }

private:
    void run(const std::stop_token& stop) {
        while (true) {
            std::function<void()> work;
            {
                std::unique_lock lock(mutex_);
                if (!changed_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
                if (stop.stop_requested()) return;
                work = std::move(queue_.front());
                queue_.pop_front();
            }
            work();
        }
    }
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> queue_;
    std::jthread thread_;
};

}  // namespace sg::plugins
