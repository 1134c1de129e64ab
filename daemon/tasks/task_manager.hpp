#pragma once
// How a task manager is made.

#include <functional>
#include <memory>
#include <sg/tasks.hpp>
#include <stop_token>
#include <string>

#include "util/clock.hpp"

namespace sg::tasks {

/// Takes a closure to run later, each once or never. Any thread calls it; no order is asked of it.
using Executor = std::function<void(std::function<void()>)>;

struct Options {
    bool start_processing = false;
    unsigned max_threads = 8;  ///< 0: 8

    /// Waiting and ready tasks; one more is refused with `QueueFull`. 0: no limit.
    std::size_t max_pending = 1'000'000;

    /// Ended tasks whose slots were not called yet; with so many, none is started. Not while a
    /// thread waits for the outcome of a task: it may be the one that should call the slots. 0: no limit.
    std::size_t max_undelivered = 1024;

    Executor executor{};             ///< of slots and coroutines; empty: a thread for them
    std::shared_ptr<Clock> clock{};  ///< empty: the machine's

    /// Told what slots and coroutines throw, and why no thread could be started; any thread.
    std::function<void(std::exception_ptr)> on_error{};

    std::string name = "tasks";  ///< of the threads
};

/// Starts no thread: workers are made when there is work for them, the thread for slots with the
/// first slot or coroutine, the one for timeouts with the first timeout.
///
/// Lifetime: destroying it is `shut_down()` without a limit. In one of its own tasks that ends the
///           process. What was handed to the executor does nothing afterwards.
std::shared_ptr<TaskManager> make_task_manager(Options options = {});

/// The same manager for somebody whose work ends with `stop`: tasks that come without a stop token
/// of their own have this one. It cannot be shut down from here.
std::unique_ptr<TaskManager> make_view(const TaskManager& manager, std::stop_token stop);

}  // namespace sg::tasks
