// Workers, and what follows when a task has ended.

#include <algorithm>

#include "tasks/failure_text.hpp"
#include "tasks/pool.hpp"
#include "tasks/worker.hpp"
#include "util/thread.hpp"

namespace sg::tasks {
namespace {

/// The task's own arguments with what its upstreams gave, and who of them gave nothing.
std::vector<Uid> merge_upstreams(Task& task) {
    std::vector<Uid> absent;
    for (const auto& edge : task.edges) {
        if (!edge.upstream || edge.upstream->was_stopped) {
            absent.push_back(edge.upstream_uid);
            continue;
        }
        const auto& outcome = edge.upstream->result();
        if (!outcome.is_object() || outcome.empty()) continue;
        if (!task.spec.kwargs.is_object()) task.spec.kwargs = nlohmann::json::object();
        for (const auto& [name, value] : outcome.items()) task.spec.kwargs[name] = value;
    }
    task.edges.clear();
    return absent;
}

const nlohmann::json empty_array = nlohmann::json::array(), empty_object = nlohmann::json::object();

const nlohmann::json& or_empty(const nlohmann::json& value, const nlohmann::json& empty) {
    return value.is_null() ? empty : value;
}

/// Most work that tells by a signal gives nothing: that needs no memory of its own.
detail::Box boxed(nlohmann::json value) {
    static const nlohmann::json nothing;
    if (value.is_null()) return {std::shared_ptr<const void>(), &nothing};
    return std::make_shared<const nlohmann::json>(std::move(value));
}

}  // namespace

bool Pool::may_start() const noexcept {
    return processing_ && !closed_ && !ready_.is_empty() &&
           (options_.max_undelivered == 0 || undelivered_ < options_.max_undelivered || blocked_threads_ > 0);
}

/// Makes workers while there is more to do than there are free ones. Of what is ready the caller takes
/// `own` itself.
void Pool::wake_workers(Aftermath& after, std::size_t own) {
    if (!may_start()) return;
    const auto wanted = ready_.size();
    try {
        while (thread_count_ < options_.max_threads && wanted > thread_count_ - running_ - discarded_) {
            threads_.reserve(threads_.size() + 1);
            threads_.push_back(start_thread(options_.name + "-" + std::to_string(++threads_ever_),
                                            [this](std::stop_token) { work(); }));
            ++thread_count_;
        }
    } catch (const std::system_error&) {
        // With no thread at all, the next task that is handed in tries again.
        after.errors.push_back(std::current_exception());
    }
    if (is_worker_napping_) return;  // it sees to them
    for (const auto due = std::min(wanted - own, sleeping_); woken_ < due; ++woken_) work_.notify_one();
}

void Pool::work() {
    Worker::set(this);
    std::shared_ptr<Task> task, previous;
    Ending ending;
    bool is_busy = false;
    while (true) {
        {
            Section section(*this);
            if (task) {
                finish(*task, ending, section.after());
                previous = std::move(task);
                ++letting_go_;
            }
            if (is_busy && !previous && !quit_ && !may_start()) take_nap(section);
            while (!quit_ && !previous && !may_start()) {
                ++sleeping_;
                work_.wait(section.lock());
                --sleeping_;
                if (woken_ > 0) --woken_;
            }
            is_busy = false;
            if (quit_) {
                --thread_count_;
                note_change();
                break;
            }
            if (may_start()) task = next_task(section.after());
        }
        if (previous) {
            previous.reset();
            ending = {};
            has_let_go();
        }
        if (task) ending = run(*task);
        is_busy = true;
    }
}

/// Where one short task follows another closely, to be woken for each costs more than they do. So one of the
/// workers that run out of work looks again very soon, and nobody is woken meanwhile.
void Pool::take_nap(Section& section) {
    if (blocked_threads_ > 0 || std::exchange(is_worker_napping_, true)) return;
    nap_over_.wait_for(section.lock(), nap, [this] { return !is_worker_napping_; });
    is_worker_napping_ = false;
    if (ready_.size() > 1) wake_workers(section.after(), 1);
}

/// Somebody waits for an outcome.
void Pool::end_nap() {
    if (std::exchange(is_worker_napping_, false)) nap_over_.notify_one();
}

std::shared_ptr<Task> Pool::next_task(Aftermath& after) {
    auto task = ready_.pop().shared_from_this();
    task->set_state(TaskState::running);
    ++running_;
    if (task->is_stage()) {
        ++task->account->on_worker;
        if (task->request != nullptr) task->request->stage_state = TaskState::running;
    }
    if (task->spec.timeout.count() > 0) {
        task->timer = timers_.emplace(clock_->now() + task->spec.timeout, task.get());
        watch_time(after);
    }
    return task;
}

/// The door through which nothing that a task throws gets out.
Pool::Ending Pool::run(Task& task) {
    Ending ending;
    Worker::set_account(task.account.get());
    try {
        const auto absent = merge_upstreams(task);
        if (auto* work = std::get_if<Work>(&task.work))
            ending.value = boxed(
                (*work)({task.uid(), or_empty(task.spec.args, empty_array),
                         or_empty(task.spec.kwargs, empty_object), absent, task.stop_source.get_token()}));
        else if (auto* stage = std::get_if<Stage>(&task.work))
            (*stage)(task);
        else if (std::holds_alternative<Task::PassThrough>(task.work))
            ending.value = boxed(or_empty(task.spec.kwargs, empty_object));
        else
            ending.value = std::get<std::function<detail::Box(std::stop_token)>>(task.work)(
                task.stop_source.get_token());
    } catch (...) {
        ending.failure = current_failure(task);
    }
    task.work = std::monostate{};
    Worker::set_account(nullptr);  // what it held may have been its account's as well
    return ending;
}

/// What a task gave that was stopped meanwhile stays in `ending`.
void Pool::finish(Task& task, Ending& ending, Aftermath& after) {
    note_change();
    if (task.is_stage()) {
        --task.account->on_worker;
        part_from_request(task);
    }
    if (task.state() != TaskState::running) {
        --discarded_;
        if (!ready_.is_empty()) wake_workers(after, 1);
        return;
    }
    --running_;
    task.value.swap(ending.value);
    task.failure.swap(ending.failure);
    if (task.timer) timers_.erase(*std::exchange(task.timer, std::nullopt));
    if (task.failure)
        fail_with_dependants(task, after);
    else
        complete(task, after);
    if (!ready_.is_empty()) wake_workers(after, 1);
}

void Pool::complete(Task& task, Aftermath& after) {
    settle(task, after);
    while (!task.dependants.empty()) {
        Task& dependant = *task.dependants.front().dependant;
        task.dependants.pop_front();
        if (--dependant.unsettled == 0) make_ready(dependant);
    }
}

/// The root is first; its failure is set. Then level by level, by uid within one.
void Pool::fail_with_dependants(Task& root, Aftermath& after) {
    settle(root, after);
    std::vector<Task*> level{&root};
    while (!level.empty()) {
        std::vector<Task*> next;
        for (Task* failed_task : level)
            while (!failed_task->dependants.empty()) {
                Task& dependant = *failed_task->dependants.front().dependant;
                unhook(dependant);  // from all it waits for: it is met once
                dependant.failure = root.failure;
                --waiting_;
                next.push_back(&dependant);
            }
        std::sort(next.begin(), next.end(), [](const Task* a, const Task* b) { return a->uid() < b->uid(); });
        for (Task* task : next) {
            take_work(*task, after);
            after.released.push_back(task->shared_from_this());  // settling may let go of it
            settle(*task, after);
        }
        level = std::move(next);
    }
}

/// Its value or failure is set. Futures first, then its place in the line, then coroutines.
void Pool::settle(Task& task, Aftermath& after) {
    if (task.state() != TaskState::stopped) task.set_state(TaskState::settled);
    if (task.callers_stop) after.callers_stops.push_back(std::move(task.callers_stop));
    std::vector<std::shared_ptr<Waiter>> waiters;
    waiters.swap(task.waiters);
    announce(task, after);
    for (auto& waiter : waiters) {
        if (waiter->on_executor) {
            task.waiters.push_back(waiter);
            line_.push_back({task.shared_from_this(), std::move(waiter)});
            schedule(after, true);
        } else {
            if (waiter->holds_thread) --blocked_threads_;
            after.resolved.emplace_back(std::move(waiter), task.shared_from_this());
        }
    }
}

void Pool::make_ready(Task& task) {
    --waiting_;
    task.set_state(TaskState::ready);
    ready_.push(task);
}

/// What never runs is let go of before the call that ended it returns.
void Pool::take_work(Task& task, Aftermath& after) {
    after.works.push_back(std::exchange(task.work, Task::AnyWork{}));
    after.edges.push_back(std::exchange(task.edges, {}));
}

void Pool::unhook(Task& task) {
    for (auto& edge : task.edges)
        if (edge.is_linked()) edge.upstream->dependants.erase(EdgeList::s_iterator_to(edge));
    task.unsettled = 0;
}

/// Starts or wakes the thread that ends what runs too long.
void Pool::watch_time(Aftermath& after) try {
    timer_changed_.notify_all();
    if (timer_thread_.joinable() || quit_timer_) return;
    timer_thread_ = start_thread(options_.name + "-time", [this](std::stop_token) {
        Section section(*this);
        while (!quit_timer_) {
            if (timers_.empty()) {
                timer_changed_.wait(section.lock());
                continue;
            }
            const auto left = clock_->until(timers_.begin()->first);
            if (left && *left <= Clock::Duration::zero()) {
                time_out(*timers_.begin()->second, section.after());
                section.flush();
            } else if (left) {
                timer_changed_.wait_for(section.lock(), *left);
            } else {
                timer_changed_.wait(section.lock());
            }
        }
    });
} catch (const std::system_error&) {
    after.errors.push_back(std::current_exception());  // the next timeout tries again
}

void Pool::time_out(Task& task, Aftermath& after) {
    timers_.erase(*std::exchange(task.timer, std::nullopt));
    --running_;
    ++discarded_;
    const std::string what = "the task " + task.uid().str() + " ran longer than its limit of " +
                             std::to_string(task.spec.timeout.count()) + " ms";
    auto why = std::make_shared<TaskFailure>();
    why->message = why->trace = what;
    why->origin = task.uid();
    why->error = std::make_exception_ptr(TimedOut(what));
    task.failure = std::move(why);
    after.stops.push_back(task.stop_source);
    fail_with_dependants(task, after);
    ++letting_go_;
    after.is_counted = true;
    note_change();
}

}  // namespace sg::tasks
