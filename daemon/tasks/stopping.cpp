// Stopping: which tasks, and what becomes of them.

#include <algorithm>

#include "tasks/pool.hpp"
#include "tasks/uid_table.hpp"

namespace sg::tasks {

std::size_t Pool::stop_task(Uid uid, StopScope scope) {
    const auto task = UidTable::of_process().find(uid);  // let go of after the lock
    if (!task || &task->pool() != this) return 0;
    Section section(*this);
    return stop_set({task.get()}, scope, section.after());
}

bool Pool::stop(Task& task) {
    const auto alive = task.shared_from_this();
    Section section(*this);
    if (!task.keep || task.state() == TaskState::stopped) return false;
    stop_set({&task}, {}, section.after());
    return task.state() == TaskState::stopped;
}

std::size_t Pool::stop_group(const Group& group, StopScope scope) {
    Section section(*this);
    const auto found = groups_.find(group);
    if (found == groups_.end()) return 0;
    std::vector<Task*> members;
    for (auto& task : found->second->members) members.push_back(&task);
    return stop_set(std::move(members), scope, section.after());
}

std::size_t Pool::stop_all() {
    Section section(*this);
    std::vector<Task*> all;
    for (auto& task : live_) all.push_back(&task);
    return stop_set(std::move(all), {}, section.after());
}

/// Live tasks only. What has settled is met when it is named, not on the way up.
std::vector<Task*> Pool::closure(std::vector<Task*> roots, StopScope scope) {
    const auto walk = ++walks_;
    std::vector<Task*> all;
    const auto meet = [&](Task* task) {
        if (!task->keep || task->marked == walk || task->state() == TaskState::stopped) return;
        if (task->state() == TaskState::completed || task->state() == TaskState::failed) return;
        task->marked = walk;
        all.push_back(task);
    };
    for (Task* root : roots) meet(root);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (scope.upstream && all[i]->state() == TaskState::waiting)
            for (auto& edge : all[i]->edges)
                if (edge.is_linked()) meet(edge.upstream.get());
        if (scope.downstream)
            for (auto& edge : all[i]->dependants) meet(edge.dependant);
    }
    return all;
}

std::size_t Pool::stop_set(std::vector<Task*> roots, StopScope scope, Aftermath& after) {
    auto set = closure(std::move(roots), scope);
    // Upstreams have lower uids: their signals come first.
    std::sort(set.begin(), set.end(), [](const Task* a, const Task* b) { return a->uid() < b->uid(); });
    for (Task* task : set) after.released.push_back(task->shared_from_this());
    for (Task* task : set) end_stopped(*task, after);
    // Those that go on without it.
    for (Task* task : set)
        while (!task->dependants.empty()) {
            Task& dependant = *task->dependants.front().dependant;
            task->dependants.pop_front();
            if (--dependant.unsettled == 0 && dependant.state() == TaskState::waiting) make_ready(dependant);
        }
    wake_workers(after);
    note_change();
    return static_cast<std::size_t>(std::count_if(set.begin(), set.end(), [](const Task* task) {
        return !task->is_stage() && task->state() == TaskState::stopped;
    }));
}

void Pool::end_stopped(Task& task, Aftermath& after) {
    const auto state = task.state();
    if (task.has_settled()) {
        // In its place in the line the signal is another now, if it was not delivered meanwhile.
        task.change_state(TaskState::settled, TaskState::stopped);
        return;
    }
    task.set_state(TaskState::stopped);
    task.was_stopped = true;
    if (state == TaskState::running) {
        --running_;
        ++discarded_;
        if (task.timer) timers_.erase(*std::exchange(task.timer, std::nullopt));
    } else {
        if (state == TaskState::ready)
            ready_.erase(task);
        else if (!task.is_request())
            --waiting_;
        unhook(task);
        take_work(task, after);
        if (task.is_stage()) part_from_request(task);
    }
    // Its stage goes too, unless it runs for others as well.
    if (task.stage != nullptr && (task.stage->is_own_stage || task.stage->state() != TaskState::running) &&
        !task.stage->has_settled())
        end_stopped(*task.stage, after);
    after.stops.push_back(task.stop_source);
    settle(task, after);
}

}  // namespace sg::tasks
