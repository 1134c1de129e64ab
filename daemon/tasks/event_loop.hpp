#pragma once
// A queue of closures that belongs to a thread.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "tasks/task_manager.hpp"

namespace sg::tasks {

/// For threads that have no loop of their own.
///
/// Threads: `executor` and what it returns from any; the rest on the thread that owns it.
class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Stays callable after the loop is gone; then it drops what it is given.
    Executor executor();

    /// Runs what is queued now, not what that queues; how much that was.
    std::size_t poll();

    /// Runs what comes until `done`, asked after each run; false if `limit` passed first.
    bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit);

private:
    struct Queue;
    std::shared_ptr<Queue> queue_;
};

}  // namespace sg::tasks
