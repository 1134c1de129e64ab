#pragma once
// One task, and what it is linked to.

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set_hook.hpp>
#include <map>
#include <optional>
#include <sg/tasks.hpp>
#include <variant>

#include "util/clock.hpp"

namespace sg::tasks {

class Pool;
class Task;
struct Account;

/// A part of a request. It ends the request, or begins another stage, and throws nothing.
using Stage = std::function<void(Task& stage)>;

namespace hooks {
using List = boost::intrusive::list_base_hook<>;
template <class Tag>
using TaggedList = boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>>;
struct Live;
struct InGroup;
struct Ready;
}  // namespace hooks

/// One "waits for". The dependant owns it; while the upstream has not settled it is hooked there.
struct Edge : hooks::List {
    Edge(std::shared_ptr<Task> up, Uid uid, Task& down)
        : upstream(std::move(up)), upstream_uid(uid), dependant(&down) {}
    std::shared_ptr<Task> upstream;  ///< null: absent
    Uid upstream_uid;
    Task* dependant;
};
using EdgeList = boost::intrusive::list<Edge, boost::intrusive::constant_time_size<false>>;

/// Who waits for an outcome.
struct Waiter {
    std::uint64_t ticket = 0;
    std::function<void(const detail::Core&)> then;  ///< empty: withdrawn, or run
    bool on_executor = false;
    bool holds_thread = false;  ///< or may
};

struct GroupState;

/// Threads: what is not const is guarded by the pool's lock, but that a worker has `work`, `spec` and
///          `edges` of the task it runs to itself, and `value` and `failure` stay as they are once
///          the state is settled or beyond. Who delivers its signal takes the state from settled to
///          completed or failed, without the lock: all others who change a settled one must expect that.
class Task final : public detail::Core,
                   public std::enable_shared_from_this<Task>,
                   public hooks::TaggedList<hooks::Live>,
                   public hooks::TaggedList<hooks::InGroup>,
                   public hooks::TaggedList<hooks::Ready>,
                   public boost::intrusive::set_base_hook<> {
public:
    struct PassThrough {};
    struct NeverRuns {};  ///< a request
    using AnyWork = std::variant<std::monostate, Work, std::function<detail::Box(std::stop_token)>,
                                 PassThrough, Stage, NeverRuns>;

    /// Keeps `pool`, not its threads, as long as it lives.
    Task(std::shared_ptr<Pool> pool, AnyWork what, TaskSpec how);
    ~Task() override;

    Uid uid() const noexcept override { return uid_; }
    TaskState state() const noexcept override { return state_.load(std::memory_order_acquire); }
    bool stop() override;
    void check_wait() const override;
    const detail::Box& outcome() const override;
    void when_settled(std::uint64_t& ticket, std::function<void(const detail::Core&)> then,
                      bool on_executor) override;
    void forget(std::uint64_t ticket) noexcept override;

    Pool& pool() const noexcept { return *pool_; }
    void set_state(TaskState state) noexcept { state_.store(state, std::memory_order_release); }
    /// False: it was another meanwhile.
    bool change_state(TaskState from, TaskState to) noexcept {
        return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }
    bool has_settled() const noexcept { return state() >= TaskState::settled; }

    /// What the signal of its completion carries.
    const nlohmann::json& result() const;

    bool is_request() const noexcept { return account != nullptr && !is_a_stage; }
    bool is_stage() const noexcept { return is_a_stage; }

    AnyWork work;
    TaskSpec spec;
    std::vector<Edge> edges;    ///< to its upstreams, in listed order
    EdgeList dependants;        ///< edges of those that wait for this
    std::size_t unsettled = 0;  ///< upstreams that it waits for
    std::stop_source stop_source;
    std::unique_ptr<std::stop_callback<std::function<void()>>> callers_stop;
    std::shared_ptr<GroupState> group;

    detail::Box value;
    std::shared_ptr<const TaskFailure> failure;
    bool was_stopped = false;  ///< before it settled: the outcome is `Stopped`
    bool is_json = false;
    std::vector<std::shared_ptr<Waiter>> waiters;

    std::shared_ptr<Task> keep;  ///< itself, while it is live
    std::optional<std::multimap<Clock::Time, Task*>::iterator> timer;
    std::uint64_t marked = 0;  ///< the last walk that met it
    bool is_queued_in_order = false;
    Uid place;  ///< among equal priorities; of a stage, where its request came

    // Of requests and stages (account.hpp).
    std::shared_ptr<Account> account;
    bool is_a_stage = false;
    Task* request = nullptr;   ///< of a stage: it takes itself out of here when it goes
    bool is_own_stage = true;  ///< of a stage: nobody else waits for it
    Task* stage = nullptr;     ///< of a request: queued, or on a worker
    bool is_cleared = false;   ///< of a request: no other stage is begun
    std::atomic<TaskState> stage_state{TaskState::waiting};  ///< of a request, for those who look

private:
    friend class UidTable;
    const Uid uid_;
    const std::shared_ptr<Pool> pool_;
    std::atomic<TaskState> state_{TaskState::waiting};
    Task* next_in_bucket_ = nullptr;  // the table's
};

using LiveList = boost::intrusive::list<Task, boost::intrusive::base_hook<hooks::TaggedList<hooks::Live>>,
                                        boost::intrusive::constant_time_size<false>>;
using MemberList =
    boost::intrusive::list<Task, boost::intrusive::base_hook<hooks::TaggedList<hooks::InGroup>>,
                           boost::intrusive::constant_time_size<false>>;

/// A group with live tasks.
struct GroupState {
    explicit GroupState(Group the_name) : name(std::move(the_name)) {}
    const Group name;
    MemberList members;         ///< until their terminal signal was delivered
    std::size_t count = 0;      ///< of these
    std::size_t delivered = 0;  ///< of these, whose signal is being delivered, or has been
};

}  // namespace sg::tasks
