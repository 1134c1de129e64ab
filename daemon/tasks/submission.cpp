// How work gets in, and who waits for its outcome.

#include <algorithm>

#include "tasks/pool.hpp"
#include "tasks/uid_table.hpp"
#include "tasks/worker.hpp"

namespace sg::tasks {

/// What is listed twice counts once.
std::vector<Edge> Pool::find_upstreams(const TaskSpec& spec, Task& task) const {
    std::vector<Edge> edges;
    edges.reserve(spec.upstream.size());  // edges are hooked by address: they never move again
    const auto& table = UidTable::of_process();
    for (const auto uid : spec.upstream) {
        if (!uid || uid >= task.uid())
            throw std::invalid_argument("the upstream " + uid.str() + " is no task that was handed in");
        if (std::any_of(edges.begin(), edges.end(), [&](const Edge& e) { return e.upstream_uid == uid; }))
            continue;
        auto upstream = table.find(uid);
        if (upstream && &upstream->pool() != this)
            throw std::invalid_argument("the upstream " + uid.str() + " is a task of another manager");
        edges.emplace_back(std::move(upstream), uid, task);
    }
    return edges;
}

std::shared_ptr<Task> Pool::submit(Task::AnyWork work, TaskSpec spec) {
    const auto callers_stop = spec.stop;
    const auto task = std::make_shared<Task>(shared_from_this(), std::move(work), std::move(spec));
    UidTable::of_process().insert(*task);
    auto edges = find_upstreams(task->spec, *task);
    {
        Section section(*this);
        if (closed_) throw Closed();
        check_room();
        if (task->spec.group) {
            auto& group = groups_[*task->spec.group];
            if (!group) group = std::make_shared<GroupState>(*task->spec.group);
            task->group = group;
        }
        task->edges = std::move(edges);
        enter(*task, section.after());
    }
    if (callers_stop.stop_possible()) watch_callers_stop(task);
    return task;
}

void Pool::check_room() const {
    if (options_.max_pending != 0 && waiting_ + ready_.size() >= options_.max_pending)
        throw QueueFull("the task manager holds " + std::to_string(options_.max_pending) +
                        " tasks that have not started; it takes no more");
}

void Pool::enter(Task& task, Aftermath& after) {
    task.keep = task.shared_from_this();
    live_.push_back(task);
    if (task.group) {
        task.group->members.push_back(task);
        ++task.group->count;
    }
    ++waiting_;
    std::shared_ptr<const TaskFailure> failure;
    for (auto& edge : task.edges) {
        if (!edge.upstream) continue;
        if (edge.upstream->has_settled()) {
            if (edge.upstream->was_stopped)
                after.released.push_back(std::exchange(edge.upstream, nullptr));
            else if (edge.upstream->failure && !failure)
                failure = edge.upstream->failure;
        } else if (!edge.upstream->keep) {  // a guessed uid: that task is still being handed in
            after.released.push_back(std::exchange(edge.upstream, nullptr));
        } else {
            edge.upstream->dependants.push_back(edge);
            ++task.unsettled;
        }
    }
    if (task.spec.stop.stop_requested()) {
        stop_set({&task}, {}, after);
    } else if (failure) {
        --waiting_;
        unhook(task);
        task.failure = std::move(failure);
        take_work(task, after);
        fail_with_dependants(task, after);
    } else if (task.unsettled == 0) {
        make_ready(task);
    }
    wake_workers(after);
}

/// Without the lock: where a stop was requested meanwhile, the callback runs here and now.
void Pool::watch_callers_stop(const std::shared_ptr<Task>& task) {
    auto watch = std::make_unique<std::stop_callback<std::function<void()>>>(
        task->spec.stop, [weak = std::weak_ptr<Task>(task)] {
            if (const auto alive = weak.lock()) alive->stop();
        });
    Section section(*this);
    if (task->has_settled())
        section.after().callers_stops.push_back(std::move(watch));
    else
        task->callers_stop = std::move(watch);
}

void Pool::when_settled(Task& task, std::uint64_t& ticket, std::function<void(const detail::Core&)> then,
                        bool on_executor) {
    auto waiter = std::make_shared<Waiter>();
    waiter->then = std::move(then);
    waiter->on_executor = on_executor;
    waiter->holds_thread = !on_executor;
    Section section(*this);
    if (on_executor && ended_) throw Closed("the task manager is gone");
    ticket = waiter->ticket = ++last_ticket_;
    if (task.has_settled() && !on_executor) {
        section.after().resolved.emplace_back(std::move(waiter), task.shared_from_this());
        return;
    }
    task.waiters.push_back(waiter);
    end_nap();
    if (task.has_settled()) {
        line_.push_back({task.shared_from_this(), std::move(waiter)});
        schedule(section.after(), true);
    } else if (!on_executor && ++blocked_threads_ == 1) {
        wake_workers(section.after());  // the limit on undelivered outcomes is off
    }
}

void Pool::watch(Task& task, std::function<void(const detail::Core&)> then) {
    auto waiter = std::make_shared<Waiter>();
    waiter->then = std::move(then);
    Section section(*this);
    waiter->ticket = ++last_ticket_;
    if (task.has_settled())
        section.after().resolved.emplace_back(std::move(waiter), task.shared_from_this());
    else
        task.waiters.push_back(std::move(waiter));
}

void Pool::forget(Task& task, std::uint64_t ticket) noexcept {
    std::function<void(const detail::Core&)> dropped;
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(task.waiters.begin(), task.waiters.end(),
                                    [&](const auto& waiter) { return waiter->ticket == ticket; });
    if (found == task.waiters.end()) return;
    dropped.swap((*found)->then);
    task.waiters.erase(found);
}

void Pool::check_wait(const Task& task) const {
    if (Worker::of_this_thread() == this && !task.has_settled())
        throw Deadlock("a task waits for the task " + task.uid().str() +
                       " of its own manager, whose threads may all be waiting like this one");
}

}  // namespace sg::tasks
