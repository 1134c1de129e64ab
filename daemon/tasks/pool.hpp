#pragma once
// What a task manager does, behind its interface.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "tasks/account.hpp"
#include "tasks/ready_queue.hpp"
#include "tasks/task.hpp"
#include "tasks/task_manager.hpp"

namespace sg::tasks {

/// How long a task or a signal may wait where others came right before it: to be woken for each of many costs
/// more than they do.
inline constexpr std::chrono::microseconds nap{50};

/// One lock guards everything that has no other word; nothing of a caller's is called, and none of
/// it destroyed, while it is held: that is put off in an `Aftermath`.
///
/// Lifetime: shared by the manager and its tasks. Threads end with `end`.
class Pool : public std::enable_shared_from_this<Pool> {
public:
    explicit Pool(Options options);
    ~Pool();
    void begin();  ///< once it is owned

    std::shared_ptr<Task> submit(Task::AnyWork work, TaskSpec spec);
    void start_processing();
    void pause_processing();
    std::size_t stop_task(Uid uid, StopScope scope);
    std::size_t stop_group(const Group& group, StopScope scope);
    std::size_t stop_all();
    bool stop(Task& task);
    bool wait_idle(std::chrono::milliseconds limit);
    bool shut_down(std::optional<std::chrono::milliseconds> limit);
    void end();  ///< the manager is destroyed
    TaskManager::Stats stats() const;

    // Requests (account.hpp).

    /// Throws `Closed` and `QueueFull`. A stop requested of `stop` stops it.
    std::shared_ptr<Task> open_request(const std::shared_ptr<Account>& account, std::stop_token stop = {});
    /// Hands in the next stage, which is never refused; false: the request has ended.
    bool begin_stage(Task& request, Stage work, StageSpec how);
    /// In a stage: nothing of the request is on a worker from here on. False: it has ended, which it
    /// does here if it was cleared.
    bool leave_stage(Task& request);
    /// Whichever is first ends it; false: somebody else was.
    bool end_request(Task& request, detail::Box value, std::shared_ptr<const TaskFailure> failure);
    std::shared_ptr<Task> find_request(const Account& account, Uid uid) const;
    /// Stops what is not on a worker; how many that was. What is, begins no other stage.
    std::size_t clear(Account& account);
    bool clear(Task& request);  ///< the same for one; whether it was stopped
    /// Stops all without a signal, and waits until nothing is on a worker and no slot is running.
    /// Throws `std::logic_error` in a stage of that account.
    void close(Account& account);
    bool arrive(Account& account);
    void depart(Account& account);
    void part_from_stage(Task& request) noexcept;  ///< it is being destroyed
    bool is_closed() const;

    /// `signal` and `count` belong to `owner`, or to the pool where that is null.
    template <class Function>
    Connection connect(const std::shared_ptr<void>& owner, Slots<Function>& signal, std::size_t& count,
                       Function slot);
    template <class Function>
    Connection connect(Slots<Function> Pool::*signal, Function slot) {
        return connect({}, this->*signal, slot_count_, std::move(slot));
    }
    template <class Function>
    void disconnect(SlotNode<Function>& node) noexcept;
    Slots<TaskManager::Completed> completed;
    Slots<TaskManager::Failed> failed;
    Slots<TaskManager::Ended> stopped;
    Slots<TaskManager::GroupFinished> group_finished;

    void when_settled(Task& task, std::uint64_t& ticket, std::function<void(const detail::Core&)> then,
                      bool on_executor);
    /// As `when_settled` without the executor, for somebody who holds no thread meanwhile.
    void watch(Task& task, std::function<void(const detail::Core&)> then);
    void forget(Task& task, std::uint64_t ticket) noexcept;
    void check_wait(const Task& task) const;

private:
    /// What is left to do once the lock is free again.
    struct Aftermath {
        std::vector<std::pair<std::shared_ptr<Waiter>, std::shared_ptr<Task>>> resolved;
        std::vector<std::stop_source> stops;
        std::vector<std::shared_ptr<Task>> released;
        std::vector<Task::AnyWork> works;
        std::vector<std::vector<Edge>> edges;
        std::vector<std::unique_ptr<std::stop_callback<std::function<void()>>>> callers_stops;
        std::vector<std::exception_ptr> errors;
        bool is_post_due = false;
        bool is_counted = false;  ///< in `letting_go_`
    };
    /// Holds the lock, and sees to the aftermath when it lets go.
    class Section;

    struct Ending {
        detail::Box value;
        std::shared_ptr<const TaskFailure> failure;
    };
    struct LineEntry {
        std::shared_ptr<Task> task;
        std::shared_ptr<Waiter> waiter;  ///< null: the task's terminal signal
    };

    // submission.cpp
    std::vector<Edge> find_upstreams(const TaskSpec& spec, Task& task) const;
    void enter(Task& task, Aftermath& after);
    void watch_callers_stop(const std::shared_ptr<Task>& task);
    void check_room() const;

    // requests.cpp
    void part_from_request(Task& stage);

    // running.cpp
    bool may_start() const noexcept;
    void wake_workers(Aftermath& after, std::size_t own = 0);
    void work();
    void take_nap(Section& section);
    void end_nap();
    std::shared_ptr<Task> next_task(Aftermath& after);
    Ending run(Task& task);
    void finish(Task& task, Ending& ending, Aftermath& after);
    void complete(Task& task, Aftermath& after);
    void fail_with_dependants(Task& root, Aftermath& after);
    void settle(Task& task, Aftermath& after);
    void make_ready(Task& task);
    void take_work(Task& task, Aftermath& after);
    void unhook(Task& task);
    void watch_time(Aftermath& after);
    void time_out(Task& task, Aftermath& after);

    // stopping.cpp
    std::vector<Task*> closure(std::vector<Task*> roots, StopScope scope);
    std::size_t stop_set(std::vector<Task*> roots, StopScope scope, Aftermath& after);
    void end_stopped(Task& task, Aftermath& after);

    // delivery.cpp
    bool is_heard(const Task& task) const noexcept;
    void tell_account(Task& request);
    void announce(Task& task, Aftermath& after);
    std::shared_ptr<GroupState> leave(Task& task);
    void schedule(Aftermath& after, bool is_urgent);
    void post();
    void deliver();
    void deliver_by_thread();
    void run_waiter(std::unique_lock<std::mutex>& lock);
    void deliver_signals(std::unique_lock<std::mutex>& lock);
    struct Heard;
    void tell(Task& task, const Heard& heard);
    void count_delivered();
    template <class Function, class Call>
    void call_slots(const Slots<Function>& slots, Call call);
    void report(std::exception_ptr error) noexcept;
    void note_change();
    void has_let_go() noexcept;

    // shut_down.cpp
    template <class Condition>
    bool wait(std::unique_lock<std::mutex>& lock, std::optional<Clock::Time> deadline, Condition condition);
    void close(Aftermath& after);
    template <class Function>
    void drop(const Slots<Function>& signal);
    void drop_slots();
    void drop_slots(const Account& account);

    const Options options_;
    const std::shared_ptr<Clock> clock_;
    int jump_key_ = 0;

    mutable std::mutex mutex_;
    bool processing_ = false;
    std::atomic<bool> closed_{false};  // no work is taken, no slot is called
    bool ended_ = false;               // the manager is gone
    ReadyQueue ready_;
    std::size_t waiting_ = 0, running_ = 0, discarded_ = 0;
    std::atomic<std::size_t> undelivered_{0};  // counted down without the lock
    std::size_t blocked_threads_ = 0;          // that wait for an outcome, or may
    std::uint64_t walks_ = 0, last_ticket_ = 0;
    LiveList live_;
    std::map<Group, std::shared_ptr<GroupState>> groups_;

    std::condition_variable work_;
    std::size_t sleeping_ = 0, woken_ = 0;  // of those that sleep, how many were told to look; never too high
    bool is_worker_napping_ = false;
    std::condition_variable nap_over_;
    std::size_t thread_count_ = 0, threads_ever_ = 0;
    bool quit_ = false;
    std::vector<std::jthread> threads_;

    std::deque<LineEntry> line_;
    bool scheduled_ = false;   // a run of `deliver` is on its way, or under way
    bool is_napping_ = false;  // the thread for it: it looks again very soon without being told
    std::thread::id delivering_;
    std::size_t slot_count_ = 0;
    std::atomic<std::uint64_t> connections_ever_{0};
    std::condition_variable line_changed_;
    bool quit_delivery_ = false;
    std::jthread delivery_thread_;

    std::multimap<Clock::Time, Task*> timers_;
    std::condition_variable_any timer_changed_;
    bool quit_timer_ = false;
    std::jthread timer_thread_;

    std::condition_variable_any changed_;
    std::atomic<std::size_t> watchers_{0};  // of `changed_`

    // Threads that have something of an ended task left to destroy: until then nothing is idle. Counted up
    // with the lock, and down without it.
    std::atomic<std::size_t> letting_go_{0};
};

/// Declared before whatever the lock guards is touched; runs user code when it ends.
class Pool::Section {
public:
    explicit Section(Pool& pool) : pool_(pool), lock_(pool.mutex_) {}
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;
    Aftermath& after() noexcept { return after_; }
    std::unique_lock<std::mutex>& lock() noexcept { return lock_; }

    /// Lets go of the lock for what is due so far, and takes it again.
    void flush();

private:
    void see_to_it() noexcept;
    Pool& pool_;
    std::unique_lock<std::mutex> lock_;
    Aftermath after_;
};

/// What does the work of a manager. Throws `std::invalid_argument` for one that is not from here.
std::shared_ptr<Pool> pool_of(const TaskManager& manager);

/// A function connected to a signal.
template <class Function>
class SlotNode final : public Connection::Slot {
public:
    SlotNode(std::weak_ptr<Pool> pool, std::weak_ptr<void> owner, Slots<Function>& signal, std::size_t& count,
             Function the_function)
        : function(std::move(the_function)),
          pool_(std::move(pool)),
          owner_(std::move(owner)),
          signal_(signal),
          count_(count) {}
    void disconnect() noexcept override {
        const auto pool = pool_.lock();
        const auto owner = owner_.lock();
        if (pool && owner) pool->disconnect(*this);
    }
    Function function;
    // Who calls it says so and looks whether it is connected; who disconnects it does so, and looks whether
    // it is called. One of the two sees the other.
    std::atomic<bool> is_connected{true}, is_running{false};

    // While the owner lives.
    Slots<Function>& signal() const noexcept { return signal_; }
    std::size_t& count() const noexcept { return count_; }

private:
    std::weak_ptr<Pool> pool_;
    std::weak_ptr<void> owner_;
    Slots<Function>& signal_;
    std::size_t& count_;
};

}  // namespace sg::tasks
