#pragma once
// A task manager without threads.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/tasks.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sg::testing {

/// Runs tasks in the calling thread, one at a time and best first: while somebody waits for an
/// outcome, and in `run_all`. So a test sees the same order each time. Limits on time are not kept.
///
/// Threads:  one.
/// Lifetime: outlives every `Pending` and `Connection` it gave.
class FakeTasks final : public TaskManager {
public:
    FakeTasks() = default;
    FakeTasks(const FakeTasks&) = delete;
    FakeTasks& operator=(const FakeTasks&) = delete;

    /// One task, or one coroutine that goes on; false if there is nothing to do.
    bool run_one() {
        if (!resumed_.empty()) {
            const auto next = std::move(resumed_.front());
            resumed_.pop_front();
            auto& waiters = next.first->waiters;
            const auto waiter = std::find_if(waiters.begin(), waiters.end(),
                                             [&](const Waiter& one) { return one.ticket == next.second; });
            if (waiter == waiters.end()) return true;
            const auto then = std::move(waiter->then);
            waiters.erase(waiter);
            then(*next.first);
            return true;
        }
        std::shared_ptr<Node> best;
        for (const auto& node : tasks_)
            if (!node->is_over() && is_ready(*node) && (!best || node->spec.priority > best->spec.priority))
                best = node;
        if (!best || !is_processing_) return false;
        run(*best);
        return true;
    }
    void run_all() {
        while (run_one()) continue;
    }

    Group next_group_id() override { return Group(Group::Minted{++last_group_}); }
    void start_processing() override { is_processing_ = true; }
    void pause_processing() override { is_processing_ = false; }
    bool shut_down(std::optional<std::chrono::milliseconds> = std::nullopt) override {
        throw Error(Cause::not_supported, "the host ends its task manager by itself");
    }
    std::size_t stop_task(Uid uid, StopScope scope = {}) override {
        return stop_if([&](const Node& node) { return node.id == uid; }, scope);
    }
    std::size_t stop_task_group(const Group& group, StopScope scope = {}) override {
        return stop_if([&](const Node& node) { return node.spec.group == group; }, scope);
    }
    std::size_t stop_all_tasks() override {
        return stop_if([](const Node&) { return true; }, {});
    }
    bool wait_idle(std::chrono::milliseconds) override {
        run_all();
        return true;
    }
    Stats stats() const override {
        Stats stats;
        for (const auto& node : tasks_)
            if (!node->is_over()) ++(is_ready(*node) ? stats.ready : stats.waiting);
        return stats;
    }

protected:
    std::shared_ptr<detail::Core> start(Work work, TaskSpec spec) override {
        if (!work) throw std::invalid_argument("a task has no function");
        return add(
            [work = std::move(work)](Node& node) {
                const TaskContext context{node.id, node.spec.args, node.spec.kwargs, node.absent,
                                          node.stopping.get_token()};
                node.result = work(context);
                return std::make_shared<const nlohmann::json>(node.result);
            },
            std::move(spec));
    }
    std::shared_ptr<detail::Core> start_pass_through(TaskSpec spec) override {
        return start([](const TaskContext& context) { return context.kwargs; }, std::move(spec));
    }
    std::shared_ptr<detail::Core> start_boxed(Boxed work, TaskSpec spec) override {
        return add([work = std::move(work)](Node& node) { return work(node.stopping.get_token()); },
                   std::move(spec));
    }
    Connection connect_completed(Completed slot) override { return connect(completed_, std::move(slot)); }
    Connection connect_failed(Failed slot) override { return connect(failed_, std::move(slot)); }
    Connection connect_stopped(Ended slot) override { return connect(stopped_, std::move(slot)); }
    Connection connect_group_finished(GroupFinished slot) override {
        return connect(group_finished_, std::move(slot));
    }

private:
    struct Waiter {
        std::uint64_t ticket;
        std::function<void(const detail::Core&)> then;
        bool on_executor;
    };
    struct Node final : detail::Core, std::enable_shared_from_this<Node> {
        Uid uid() const noexcept override { return id; }
        TaskState state() const noexcept override { return now; }
        bool is_over() const noexcept { return now >= TaskState::settled; }
        bool stop() override { return owner->stop_task(id) > 0; }
        void check_wait() const override {
            const auto self = shared_from_this();
            while (!is_over() && owner->run_one()) continue;
            if (!is_over()) throw Deadlock("nothing would ever run the task " + id.str());
        }
        const detail::Box& outcome() const override {
            if (now == TaskState::stopped) throw Stopped();
            if (failure) std::rethrow_exception(failure->error);
            return value;
        }
        void when_settled(std::uint64_t& ticket, std::function<void(const detail::Core&)> then,
                          bool on_executor) override {
            ticket = ++owner->last_ticket_;
            if (is_over() && !on_executor) return then(*this);
            waiters.push_back({ticket, std::move(then), on_executor});
            if (is_over()) owner->resumed_.emplace_back(shared_from_this(), ticket);
        }
        void forget(std::uint64_t ticket) noexcept override {
            std::erase_if(waiters, [&](const Waiter& one) { return one.ticket == ticket; });
        }

        FakeTasks* owner = nullptr;
        Uid id;
        TaskState now = TaskState::ready;
        TaskSpec spec;
        std::function<detail::Box(Node&)> work;
        std::vector<Uid> absent;
        std::stop_source stopping;
        nlohmann::json result;
        detail::Box value;
        std::shared_ptr<const TaskFailure> failure;
        std::vector<Waiter> waiters;
    };

    template <class Function>
    using Slots = std::vector<std::shared_ptr<Function>>;

    template <class Function>
    static Connection connect(Slots<Function>& slots, Function slot) {
        struct Link final : Connection::Slot {
            Link(Slots<Function>& all, std::shared_ptr<Function> one) : slots(all), own(std::move(one)) {}
            void disconnect() noexcept override {
                slots.erase(std::remove(slots.begin(), slots.end(), own), slots.end());
            }
            Slots<Function>& slots;
            std::shared_ptr<Function> own;
        };
        slots.push_back(std::make_shared<Function>(std::move(slot)));
        return Connection(std::make_shared<Link>(slots, slots.back()));
    }
    template <class Function, class... Args>
    static void emit(const Slots<Function>& slots, const Args&... args) {
        const auto now = slots;
        for (const auto& slot : now) (*slot)(args...);
    }

    Node* find(Uid uid) const {
        for (const auto& node : tasks_)
            if (node->id == uid) return node.get();
        return nullptr;
    }
    bool is_ready(const Node& node) const {
        return std::all_of(node.spec.upstream.begin(), node.spec.upstream.end(), [&](Uid uid) {
            const auto* upstream = find(uid);
            return upstream == nullptr || upstream->is_over();
        });
    }

    std::shared_ptr<detail::Core> add(std::function<detail::Box(Node&)> work, TaskSpec spec) {
        for (const auto uid : spec.upstream)
            if (find(uid) == nullptr)
                throw std::invalid_argument("the upstream " + uid.str() + " is no task of this manager");
        auto node = std::make_shared<Node>();
        node->owner = this;
        node->id = Uid(++last_uid_);
        node->work = std::move(work);
        node->spec = std::move(spec);
        if (node->spec.args.is_null()) node->spec.args = nlohmann::json::array();
        if (node->spec.kwargs.is_null()) node->spec.kwargs = nlohmann::json::object();
        tasks_.push_back(node);
        if (node->spec.stop.stop_requested()) stop_task(node->id);
        return node;
    }

    void run(Node& node) {
        std::vector<Uid> listed;
        for (const auto uid : node.spec.upstream) {
            if (std::find(listed.begin(), listed.end(), uid) != listed.end()) continue;
            listed.push_back(uid);
            const auto* upstream = find(uid);
            if (upstream->failure && !node.failure) node.failure = upstream->failure;
            if (upstream->now == TaskState::stopped) node.absent.push_back(uid);
            if (upstream->result.is_object())
                for (const auto& [name, value] : upstream->result.items()) node.spec.kwargs[name] = value;
        }
        if (!node.failure) {
            node.now = TaskState::running;
            try {
                node.value = node.work(node);
            } catch (const std::exception& error) {
                fail(node, error.what());
            } catch (...) {
                fail(node, "unknown error");
            }
        }
        if (node.now != TaskState::stopped)
            end(node, node.failure ? TaskState::failed : TaskState::completed);
    }
    static void fail(Node& node, const std::string& what) {
        node.failure = std::make_shared<TaskFailure>(TaskFailure{what.empty() ? "unknown error" : what,
                                                                 "task " + node.id.str(), node.id,
                                                                 std::current_exception()});
    }

    void end(Node& node, TaskState how) {
        node.now = how;
        node.work = nullptr;
        std::vector<Waiter> waiters;
        waiters.swap(node.waiters);
        for (auto& waiter : waiters) {
            if (waiter.on_executor) {
                resumed_.emplace_back(node.shared_from_this(), waiter.ticket);
                node.waiters.push_back(std::move(waiter));
            } else {
                waiter.then(node);
            }
        }
        const auto& group = node.spec.group;
        if (how == TaskState::stopped)
            emit(stopped_, node.id, group);
        else if (node.failure)
            emit(failed_, node.id, group, *node.failure);
        else
            emit(completed_, node.id, group, node.result);
        if (group && std::none_of(tasks_.begin(), tasks_.end(), [&](const auto& other) {
                return other->spec.group == group && !other->is_over();
            }))
            emit(group_finished_, *group);
    }

    template <class Condition>
    std::size_t stop_if(Condition condition, StopScope scope) {
        std::vector<std::shared_ptr<Node>> set;
        const auto meet = [&](const std::shared_ptr<Node>& node) {
            if (!node->is_over() && std::find(set.begin(), set.end(), node) == set.end()) set.push_back(node);
        };
        for (const auto& node : tasks_)
            if (condition(*node)) meet(node);
        const auto depends = [](const Node& node, Uid uid) {
            return std::find(node.spec.upstream.begin(), node.spec.upstream.end(), uid) !=
                   node.spec.upstream.end();
        };
        for (std::size_t i = 0; i < set.size(); ++i)
            for (const auto& other : tasks_)
                if ((scope.upstream && depends(*set[i], other->id)) ||
                    (scope.downstream && depends(*other, set[i]->id)))
                    meet(other);
        std::sort(set.begin(), set.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
        for (const auto& node : set) node->now = TaskState::stopped;
        for (const auto& node : set) {
            node->stopping.request_stop();
            end(*node, TaskState::stopped);
        }
        return set.size();
    }

    std::deque<std::shared_ptr<Node>> tasks_;
    std::deque<std::pair<std::shared_ptr<Node>, std::uint64_t>> resumed_;
    Slots<Completed> completed_;
    Slots<Failed> failed_;
    Slots<Ended> stopped_;
    Slots<GroupFinished> group_finished_;
    std::uint64_t last_uid_ = 0, last_group_ = 0, last_ticket_ = 0;
    bool is_processing_ = true;
};

}  // namespace sg::testing
