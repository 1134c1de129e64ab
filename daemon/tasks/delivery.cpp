// The line of signals and coroutines, and those who are connected.

#include <algorithm>

#include "tasks/pool.hpp"
#include "util/thread.hpp"

namespace sg::tasks {
namespace {

constexpr std::size_t most_in_a_run = 64;

template <class Function>
Slots<Function> without(const Slots<Function>& slots, const SlotNode<Function>& gone) {
    auto rest = std::make_shared<std::vector<std::shared_ptr<SlotNode<Function>>>>();
    for (const auto& slot : *slots)
        if (slot.get() != &gone) rest->push_back(slot);
    return rest->empty() ? nullptr : Slots<Function>(std::move(rest));
}

}  // namespace

/// A task has ended: its signal stands in line, or nobody listens and it is over at once.
void Pool::announce(Task& task, Aftermath& after) {
    if (is_heard(task) && !closed_) {
        line_.push_back({task.keep, nullptr});
        ++undelivered_;
        schedule(after, undelivered_ == options_.max_undelivered);
        return;
    }
    if (task.state() == TaskState::settled)
        task.set_state(task.failure ? TaskState::failed : TaskState::completed);
    after.released.push_back(std::move(task.keep));
    leave(task);
}

bool Pool::is_heard(const Task& task) const noexcept {
    if (task.is_stage()) return false;
    return task.account ? task.account->slot_count > 0 && !task.account->is_closed : slot_count_ > 0;
}

/// The group, if the task was its last.
std::shared_ptr<GroupState> Pool::leave(Task& task) {
    live_.erase(LiveList::s_iterator_to(task));
    if (task.is_request()) task.account->requests.erase(MemberList::s_iterator_to(task));
    const auto group = std::exchange(task.group, nullptr);
    if (!group) return nullptr;
    group->members.erase(MemberList::s_iterator_to(task));
    if (--group->count > 0) return nullptr;
    groups_.erase(group->name);
    return group;
}

void Pool::schedule(Aftermath& after, bool is_urgent) {
    if (is_urgent && std::exchange(is_napping_, false)) line_changed_.notify_one();
    if (std::exchange(scheduled_, true)) return;
    if (options_.executor) {
        after.is_post_due = true;
        return;
    }
    if (!delivery_thread_.joinable() && !quit_delivery_) {
        try {
            delivery_thread_ =
                start_thread(options_.name + "-signal", [this](std::stop_token) { deliver_by_thread(); });
        } catch (const std::system_error&) {
            after.errors.push_back(std::current_exception());
            scheduled_ = false;  // the next one tries again
            return;
        }
    }
    line_changed_.notify_one();
}

void Pool::post() {
    try {
        options_.executor([weak = weak_from_this()] {
            if (const auto pool = weak.lock()) pool->deliver();
        });
    } catch (...) {
        report(std::current_exception());
        std::lock_guard lock(mutex_);
        scheduled_ = false;
    }
}

void Pool::deliver_by_thread() {
    const auto self = shared_from_this();  // a slot may let go of the manager
    bool is_busy = false;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            if (is_busy && line_.empty()) {
                is_napping_ = true;
                line_changed_.wait_for(lock, nap, [this] { return quit_delivery_ || !is_napping_; });
                is_napping_ = false;
            }
            if (line_.empty()) {
                scheduled_ = false;
                line_changed_.wait(lock, [this] { return quit_delivery_ || !line_.empty(); });
                if (line_.empty()) return;
            }
        }
        deliver();
        is_busy = true;
    }
}

/// One run of the executor. A coroutine has one to itself.
void Pool::deliver() {
    bool again = false;
    {
        std::unique_lock lock(mutex_);
        delivering_ = std::this_thread::get_id();
        if (!line_.empty()) line_.front().waiter ? run_waiter(lock) : deliver_signals(lock);
        delivering_ = {};
        note_change();
        if (options_.executor) scheduled_ = again = !line_.empty() && !ended_;  // a thread of its own goes on
    }
    if (again) post();
}

void Pool::run_waiter(std::unique_lock<std::mutex>& lock) {
    auto entry = std::move(line_.front());
    line_.pop_front();
    auto then = std::exchange(entry.waiter->then, nullptr);
    std::erase(entry.task->waiters, entry.waiter);
    lock.unlock();
    try {
        if (then) then(*entry.task);
    } catch (...) {
        report(std::current_exception());
    }
    then = nullptr;
    entry = {};
    lock.lock();
}

/// Who is connected, at one moment.
struct Pool::Heard {
    Slots<TaskManager::Completed> completed;
    Slots<TaskManager::Failed> failed;
    Slots<TaskManager::Ended> stopped;
};

/// Several at a time, as the lock is dearer than a signal; but a group ends right after its last task.
void Pool::deliver_signals(std::unique_lock<std::mutex>& lock) {
    struct Due {
        std::shared_ptr<Task> task;
        bool may_end_group;
    };
    std::vector<Due> all;
    for (; !line_.empty() && !line_.front().waiter && all.size() < most_in_a_run; line_.pop_front()) {
        auto& task = line_.front().task;
        const bool is_last = task->group && ++task->group->delivered == task->group->count;
        all.push_back({std::move(task), is_last});
    }
    for (auto due = all.begin(); due != all.end();) {
        const auto first = due;
        {
            const Heard heard{completed, failed, stopped};
            const auto connections = connections_ever_.load();
            lock.unlock();
            const auto until = std::chrono::steady_clock::now() + nap;
            do tell(*due->task, heard);
            while (!due++->may_end_group && due != all.end() && connections == connections_ever_ &&
                   std::chrono::steady_clock::now() < until);
        }
        lock.lock();
        std::vector<std::shared_ptr<GroupState>> ended;
        for (auto at = first; at != due; ++at) {
            if (!at->task->keep) continue;  // shut down meanwhile
            at->task->keep.reset();
            if (at->task->group) --at->task->group->delivered;
            if (auto group = leave(*at->task)) ended.push_back(std::move(group));
        }
        const auto finished = ended.empty() ? nullptr : group_finished;
        lock.unlock();
        for (const auto& group : ended) call_slots(finished, [&](auto& slot) { slot(group->name); });
        for (auto at = first; at != due; ++at) at->task.reset();
        lock.lock();
    }
}

void Pool::tell(Task& task, const Heard& heard) {
    if (closed_) return;
    count_delivered();
    if (task.is_request()) return tell_account(task);
    const auto& group = task.spec.group;
    if (!task.change_state(TaskState::settled, task.failure ? TaskState::failed : TaskState::completed))
        call_slots(heard.stopped, [&](auto& slot) { slot(task.uid(), group); });
    else if (task.failure)
        call_slots(heard.failed, [&](auto& slot) { slot(task.uid(), group, *task.failure); });
    else
        call_slots(heard.completed, [&](auto& slot) { slot(task.uid(), group, task.result()); });
}

void Pool::count_delivered() {
    auto before = undelivered_.load();
    while (before > 0 && !undelivered_.compare_exchange_weak(before, before - 1)) continue;  // 0: shut down
    if (options_.max_undelivered == 0 || before != options_.max_undelivered) return;
    Section section(*this);
    if (!ready_.is_empty()) wake_workers(section.after());
}

void Pool::tell_account(Task& request) {
    const auto& account = *request.account;
    Slots<RequestCompleted> completed_slots;
    Slots<RequestFailed> failed_slots;
    Slots<RequestCancelled> cancelled_slots;
    {
        std::lock_guard lock(mutex_);
        if (!request.keep) return;  // closed meanwhile
        if (!request.change_state(TaskState::settled,
                                  request.failure ? TaskState::failed : TaskState::completed))
            cancelled_slots = account.cancelled;
        else if (request.failure)
            failed_slots = account.failed;
        else
            completed_slots = account.completed;
    }
    call_slots(cancelled_slots, [&](auto& slot) { slot(request.uid()); });
    call_slots(failed_slots, [&](auto& slot) { slot(request.uid(), request.failure->message); });
    call_slots(completed_slots, [&](auto& slot) { slot(request.uid(), request.value); });
}

template <class Function, class Call>
void Pool::call_slots(const Slots<Function>& slots, Call call) {
    if (!slots) return;
    for (const auto& slot : *slots) {
        slot->is_running = true;
        if (slot->is_connected && !closed_) {
            try {
                call(slot->function);
            } catch (...) {
                report(std::current_exception());
            }
            if (!slot->is_connected) {
                Function function;  // destroyed without the lock
                std::lock_guard lock(mutex_);
                function.swap(slot->function);
            }
        }
        slot->is_running = false;  // whoever disconnects it waits for this
        if (watchers_ > 0) {
            std::lock_guard lock(mutex_);
            changed_.notify_all();
        }
    }
}

template <class Function>
Connection Pool::connect(const std::shared_ptr<void>& owner, Slots<Function>& slots, std::size_t& count,
                         Function slot) {
    if (!slot) throw std::invalid_argument("a signal is connected to no function");
    const std::weak_ptr<void> owned = owner ? owner : shared_from_this();
    auto node = std::make_shared<SlotNode<Function>>(weak_from_this(), owned, slots, count, std::move(slot));
    auto all = std::make_shared<std::vector<std::shared_ptr<SlotNode<Function>>>>();
    const Slots<Function> before = [&] {
        std::lock_guard lock(mutex_);
        if (slots) *all = *slots;
        all->push_back(node);
        ++count;
        ++connections_ever_;
        return std::exchange(slots, std::move(all));
    }();
    return Connection(std::move(node));
}

template <class Function>
void Pool::disconnect(SlotNode<Function>& node) noexcept {
    Function function;  // destroyed without the lock
    Slots<Function> before;
    std::unique_lock lock(mutex_);
    if (!node.is_connected.exchange(false)) return;
    --node.count();
    auto& slots = node.signal();
    before = std::exchange(slots, without(slots, node));
    if (node.is_running && delivering_ == std::this_thread::get_id()) return;  // ended by the delivery
    ++watchers_;
    changed_.wait(lock, [&] { return !node.is_running; });
    --watchers_;
    function.swap(node.function);
}

template <class Function>
void Pool::drop(const Slots<Function>& signal) {
    const auto all = [&] {
        std::lock_guard lock(mutex_);
        return signal;
    }();
    if (!all) return;
    for (const auto& slot : *all) disconnect(*slot);
}

void Pool::drop_slots() {
    drop(completed);
    drop(failed);
    drop(stopped);
    drop(group_finished);
}

void Pool::drop_slots(const Account& account) {
    drop(account.completed);
    drop(account.failed);
    drop(account.cancelled);
}

#define SG_SIGNAL(Function)                                                                         \
    template Connection Pool::connect(const std::shared_ptr<void>&, Slots<Function>&, std::size_t&, \
                                      Function);                                                    \
    template void Pool::disconnect(SlotNode<Function>&) noexcept;
SG_SIGNAL(TaskManager::Completed)
SG_SIGNAL(TaskManager::Failed)
SG_SIGNAL(TaskManager::Ended)
SG_SIGNAL(TaskManager::GroupFinished)
SG_SIGNAL(RequestCompleted)
SG_SIGNAL(RequestFailed)
SG_SIGNAL(RequestCancelled)
#undef SG_SIGNAL

}  // namespace sg::tasks
