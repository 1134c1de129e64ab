#include "host/run/host_tasks.hpp"

#include "host/run/call.hpp"
#include "tasks/task_manager.hpp"

namespace sg::host {

std::shared_ptr<TaskManager> HostTasks::get() {
    std::lock_guard lock(mutex_);
    if (has_ended_) throw Closed("the host ends: no more tasks are taken");
    if (!manager_) {
        tasks::Options options;
        options.start_processing = true;
        options.name = "sg-task";
        options.on_error = [this](std::exception_ptr error) {
            try {
                std::rethrow_exception(std::move(error));
            } catch (...) {
                LinkLogger(log_, std::nullopt, 0)
                    .error(
                        "[TASK-SLOT] A function connected to a signal of tasks, or a coroutine that nobody "
                        "waits for, failed; nothing tries it again. why={}",
                        current_reason().text);
            }
        };
        manager_ = tasks::make_task_manager(std::move(options));
    }
    return manager_;
}

void HostTasks::end() {
    std::shared_ptr<TaskManager> last;
    {
        std::lock_guard lock(mutex_);
        has_ended_ = true;
        last.swap(manager_);
    }
    last.reset();
}

TaskManager& CallTasks::get() {
    std::lock_guard lock(mutex_);
    if (!view_) {
        manager_ = host_.get();
        std::stop_source stop;
        view_ = tasks::make_view(*manager_, stop.get_token());
        relay_.emplace(call_, Relay{std::move(stop)});
    }
    return *view_;
}

}  // namespace sg::host
