// The line of signals and coroutines, and those who are connected.

#include <algorithm>

#include "tasks/pool.hpp"
#include "util/thread.hpp"

namespace sg::tasks {
namespace {

constexpr int most_in_a_run = 64;

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
        schedule(after);
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
    if (!group->members.empty()) return nullptr;
    groups_.erase(group->name);
    return group;
}

void Pool::schedule(Aftermath& after) {
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
    while (true) {
        {
            std::unique_lock lock(mutex_);
            line_changed_.wait(lock, [this] { return quit_delivery_ || !line_.empty(); });
            if (line_.empty()) return;
        }
        deliver();
    }
}

/// One run of the executor. A coroutine has one to itself.
void Pool::deliver() {
    LineEntry entry;
    bool again = false;
    {
        std::unique_lock lock(mutex_);
        delivering_ = std::this_thread::get_id();
        for (int count = 0; !line_.empty() && count < most_in_a_run; ++count) {
            if (line_.front().waiter && count > 0) break;
            if (delivered_.task) {  // no slot was called
                lock.unlock();
                delivered_ = {};
                lock.lock();
                if (line_.empty()) break;
            }
            delivered_ = std::exchange(entry, std::move(line_.front()));
            line_.pop_front();
            if (entry.waiter) {
                run_waiter(lock, entry);
                break;
            }
            deliver_task(lock, *entry.task);
        }
        lock.unlock();
        delivered_ = entry = {};  // nobody may take it for idle before
        lock.lock();
        delivering_ = {};
        again = !line_.empty() && !ended_;
        scheduled_ = again;
        note_change();
        // With a thread of its own it looks again by itself.
        if (!options_.executor) again = false;
    }
    if (again) post();
}

void Pool::run_waiter(std::unique_lock<std::mutex>& lock, LineEntry& entry) {
    auto then = std::exchange(entry.waiter->then, nullptr);
    std::erase(entry.task->waiters, entry.waiter);
    lock.unlock();
    try {
        if (then) then(*entry.task);
    } catch (...) {
        report(std::current_exception());
    }
    then = nullptr;
    lock.lock();
}

void Pool::deliver_task(std::unique_lock<std::mutex>& lock, Task& task) {
    if (!task.keep) return;  // shut down meanwhile
    const bool was_full = undelivered_-- == options_.max_undelivered;
    if (was_full && !ready_.is_empty()) {
        Aftermath after;
        wake_workers(after);
    }
    if (task.state() == TaskState::settled)
        task.set_state(task.failure ? TaskState::failed : TaskState::completed);
    const auto& group = task.spec.group;
    if (task.is_request())
        tell_account(lock, task);
    else if (task.state() == TaskState::stopped)
        call_slots(lock, stopped, [&](auto& slot) { slot(task.uid(), group); });
    else if (task.failure)
        call_slots(lock, failed, [&](auto& slot) { slot(task.uid(), group, *task.failure); });
    else
        call_slots(lock, completed, [&](auto& slot) { slot(task.uid(), group, task.result()); });
    if (!task.keep) return;
    task.keep.reset();  // the line still holds it
    if (const auto emptied = leave(task))
        call_slots(lock, group_finished, [&](auto& slot) { slot(emptied->name); });
}

void Pool::tell_account(std::unique_lock<std::mutex>& lock, Task& request) {
    const auto& account = *request.account;
    if (request.state() == TaskState::stopped)
        call_slots(lock, account.cancelled, [&](auto& slot) { slot(request.uid()); });
    else if (request.failure)
        call_slots(lock, account.failed, [&](auto& slot) { slot(request.uid(), request.failure->message); });
    else
        call_slots(lock, account.completed, [&](auto& slot) { slot(request.uid(), request.value); });
}

template <class Function, class Call>
void Pool::call_slots(std::unique_lock<std::mutex>& lock, const Slots<Function>& slots, Call call) {
    const auto now = slots;
    if (!now) return;
    for (const auto& slot : *now) {
        if (!slot->is_connected || closed_) continue;
        slot->is_running = true;
        lock.unlock();
        delivered_ = {};
        try {
            call(slot->function);
        } catch (...) {
            report(std::current_exception());
        }
        lock.lock();
        if (!slot->is_connected) {
            auto function = std::exchange(slot->function, nullptr);
            lock.unlock();
            function = nullptr;
            lock.lock();
        }
        slot->is_running = false;  // whoever disconnects it waits for this
        note_change();
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
        return std::exchange(slots, std::move(all));
    }();
    return Connection(std::move(node));
}

template <class Function>
void Pool::disconnect(SlotNode<Function>& node) noexcept {
    Function function;  // destroyed without the lock
    Slots<Function> before;
    std::unique_lock lock(mutex_);
    if (!std::exchange(node.is_connected, false)) return;
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
