// The end, and waiting for quiet.

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "tasks/pool.hpp"
#include "tasks/worker.hpp"

namespace sg::tasks {
namespace {

/// A manager may be let go of by one of its own slots. The thread that runs it cannot join itself:
/// it ends right afterwards, and is joined here.
class LastThreads {
public:
    static LastThreads& of_process() {
        static LastThreads threads;
        return threads;
    }
    void take(std::jthread thread) {
        std::lock_guard lock(mutex_);
        threads_.push_back(std::move(thread));
    }

private:
    std::mutex mutex_;
    std::vector<std::jthread> threads_;
};

}  // namespace

/// The deadline is the clock's: a test that moves it ends the wait.
template <class Condition>
bool Pool::wait(std::unique_lock<std::mutex>& lock, std::optional<Clock::Time> deadline,
                Condition condition) {
    ++watchers_;
    bool holds = condition();
    while (!holds) {
        if (!deadline) {
            changed_.wait(lock);
        } else if (const auto left = clock_->until(*deadline); !left) {
            changed_.wait(lock);
        } else if (*left > Clock::Duration::zero()) {
            changed_.wait_for(lock, *left);
        } else {
            break;
        }
        holds = condition();
    }
    --watchers_;
    return holds;
}

bool Pool::wait_idle(std::chrono::milliseconds limit) {
    if (Worker::of_this_thread() == this)
        throw std::logic_error("a task waits until its own manager is idle, which it is not before it ends");
    std::unique_lock lock(mutex_);
    if (delivering_ == std::this_thread::get_id()) return false;
    return wait(lock, clock_->now() + limit, [this] {
        return running_ == 0 && discarded_ == 0 && letting_go_ == 0 && undelivered_ == 0 && line_.empty() &&
               delivering_ == std::thread::id() && (!processing_ || closed_ || ready_.is_empty());
    });
}

/// Every live task is stopped, without a signal; coroutines stay in line.
void Pool::close(Aftermath& after) {
    closed_ = true;
    processing_ = false;
    while (!live_.empty()) {
        Task& task = live_.front();
        const auto before = task.state();
        after.released.push_back(task.shared_from_this());
        if (before == TaskState::waiting || before == TaskState::ready || before == TaskState::running) {
            end_stopped(task, after);  // with `closed_` it is over at once
        } else {
            // Settled, or its signal is in line or under way.
            task.change_state(TaskState::settled, TaskState::stopped);
            task.keep.reset();
            leave(task);
        }
        task.dependants.clear();
    }
    std::deque<LineEntry> coroutines;
    for (auto& entry : line_) {
        if (entry.waiter)
            coroutines.push_back(std::move(entry));
        else
            after.released.push_back(std::move(entry.task));
    }
    line_.swap(coroutines);
    undelivered_ = 0;
}

void Pool::close(Account& account) {
    if (Worker::account() == &account)
        throw std::logic_error("work of a retriever stops that retriever, which waits for that work");
    {
        Section section(*this);
        auto& after = section.after();
        account.is_closed = true;
        while (!account.requests.empty()) {
            Task& request = account.requests.front();
            after.released.push_back(request.shared_from_this());
            if (!request.has_settled()) {
                end_stopped(request, after);  // nobody hears of it any more: it is over at once
                continue;
            }
            request.change_state(TaskState::settled, TaskState::stopped);
            request.keep.reset();
            leave(request);
        }
        std::deque<LineEntry> rest;
        for (auto& entry : line_) {
            if (entry.waiter || entry.task->account.get() != &account) {
                rest.push_back(std::move(entry));
                continue;
            }
            --undelivered_;
            after.released.push_back(std::move(entry.task));
        }
        line_.swap(rest);
        wake_workers(after);
        note_change();
    }
    drop_slots(account);
    std::unique_lock lock(mutex_);
    wait(lock, std::nullopt, [&] { return account.on_worker == 0; });
}

bool Pool::shut_down(std::optional<std::chrono::milliseconds> limit) {
    if (Worker::of_this_thread() == this)
        throw std::logic_error("a task shuts its own manager down, which waits for that task");
    std::optional<Clock::Time> deadline;
    if (limit) deadline = clock_->now() + *limit;
    std::vector<std::jthread> ended;  // joined without the lock
    {
        Section section(*this);
        if (!closed_) close(section.after());
        section.flush();
        auto& lock = section.lock();
        if (delivering_ != std::this_thread::get_id())
            wait(lock, std::nullopt, [this] { return delivering_ == std::thread::id(); });
        if (!wait(lock, deadline, [this] { return running_ == 0 && discarded_ == 0 && letting_go_ == 0; }))
            return false;
        quit_ = true;
        work_.notify_all();
        wait(lock, std::nullopt, [this] { return thread_count_ == 0; });
        ended.swap(threads_);
    }
    return true;
}

void Pool::end() {
    if (Worker::of_this_thread() == this) {
        std::fputs(
            "sgeventd: a task let go of the last reference to its own task manager. That ends the process: "
            "destroying a manager waits for its tasks, so it must be held by somebody else while they run.\n",
            stderr);
        std::abort();
    }
    clock_->off_jump(jump_key_);
    shut_down(std::nullopt);
    drop_slots();
    std::jthread signals, timer;
    std::deque<LineEntry> dropped;
    {
        std::lock_guard lock(mutex_);
        quit_delivery_ = quit_timer_ = true;
        line_changed_.notify_all();
        timer_changed_.notify_all();
        signals.swap(delivery_thread_);
        timer.swap(timer_thread_);
    }
    if (signals.joinable() && signals.get_id() == std::this_thread::get_id())
        LastThreads::of_process().take(std::move(signals));
    else if (signals.joinable())
        signals.join();
    if (timer.joinable()) timer.join();
    std::lock_guard lock(mutex_);
    ended_ = true;
    dropped.swap(line_);
}

}  // namespace sg::tasks
