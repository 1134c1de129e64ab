#pragma once
// Work in background threads: prioritised, grouped, depending on one another, and stoppable.

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/async.hpp>
#include <sg/connection.hpp>
#include <sg/pending.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace sg {

/// Work that belongs together: stopped together, and told of when the last of it has ended. Named
/// by you, or made by `next_group_id`; the two are never equal.
class Group {
public:
    struct Minted {
        std::uint64_t number;
        friend auto operator<=>(const Minted&, const Minted&) = default;
    };
    Group(std::string name) : key_(std::move(name)) {}    // NOLINT(google-explicit-constructor)
    Group(const char* name) : key_(std::string(name)) {}  // NOLINT(google-explicit-constructor)
    explicit Group(Minted minted) : key_(minted) {}

    std::string str() const {  ///< for logs
        if (const auto* name = std::get_if<std::string>(&key_)) return *name;
        return "#" + std::to_string(std::get<Minted>(key_).number);
    }
    friend auto operator<=>(const Group&, const Group&) = default;

private:
    std::variant<std::string, Minted> key_;
};

/// Why a task failed. Neither text is ever empty.
struct TaskFailure {
    std::string message;
    std::string trace;         ///< which task, and the texts of nested exceptions
    Uid origin;                ///< the task that threw; another one where an upstream failed
    std::exception_ptr error;  ///< what it threw
};

/// What a task sees while it runs.
struct TaskContext {
    Uid uid;
    const nlohmann::json& args;    ///< an array
    const nlohmann::json& kwargs;  ///< an object: the task's own, with upstream outcomes merged in
    std::span<const Uid> absent;   ///< upstreams that gave nothing: stopped, or forgotten before
    std::stop_token stop;          ///< requested when nobody wants the outcome any more
};
using Work = std::function<nlohmann::json(const TaskContext&)>;

/// How a task is to be run.
///
/// When the last of `upstream` has ended, each outcome that is an object overwrites members of the
/// same name in `kwargs`, in the order in which they are listed.
struct TaskSpec {
    int priority = 0;  ///< higher first; equal: first handed in first
    std::optional<Group> group{};
    std::vector<Uid> upstream{};           ///< not started before these have ended
    nlohmann::json args{};                 ///< an array; null: an empty one
    nlohmann::json kwargs{};               ///< an object; null: an empty one
    std::stop_token stop{};                ///< stops the task, as `stop_task` does
    std::chrono::milliseconds timeout{0};  ///< of the run, then it fails with `TimedOut`; 0: none
    std::string name{};                    ///< for logs
};

/// What is stopped along with the tasks that are named, and so on from those.
struct StopScope {
    bool upstream = true;    ///< what they wait for
    bool downstream = true;  ///< what waits for them; otherwise that runs without their outcome
};

/// Runs tasks on a few threads of its own.
///
/// Each task ends in exactly one of completed, failed and stopped, and has exactly one signal.
/// If a task fails, what depends on it fails too, without running. A stopped task that runs already
/// is left alone: its stop token is set and its outcome dropped.
///
/// Signals are delivered one at a time, on the executor the manager was made with: an upstream's
/// before its dependants', and that a group has finished right after its last task's. A function connected
/// to one may be a coroutine that returns `Async`. Where many come close together, a task or a signal may
/// wait 50 µs for others, unless somebody waits for an outcome.
///
/// Threads:  any thread may call anything, also from tasks and slots. In a task of the same manager
///           `shut_down` and `wait_idle` throw `std::logic_error`, and waiting for one that has not
///           settled throws `Deadlock`.
/// Blocks:   `shut_down`, `wait_idle`, and `Pending::get`; nothing else.
class TaskManager {
public:
    virtual ~TaskManager() = default;

    /// A group that nobody else has, in the whole process.
    virtual Group next_group_id() = 0;

    /// Tasks are started from now on. Throws `Closed` after `shut_down`.
    virtual void start_processing() = 0;

    /// None is started until `start_processing`; those that run go on.
    virtual void pause_processing() = 0;

    /// Stops everything and waits until nothing runs any more, at most `limit`; false if that passed,
    /// and then tasks still run, but no slot. No signal comes afterwards, and work is refused.
    virtual bool shut_down(std::optional<std::chrono::milliseconds> limit = std::nullopt) = 0;

    /// Hands in work. Throws `Closed`, `QueueFull`, or `std::invalid_argument`: for a function that
    /// is empty, or an upstream that is another manager's or was never handed in. Then nothing has
    /// changed. An upstream that failed fails the task at once.
    Pending<nlohmann::json> add_task(Work work, TaskSpec spec = {}) {
        return Pending<nlohmann::json>(start(std::move(work), std::move(spec)));
    }

    /// A task whose outcome is its merged `kwargs`.
    Pending<nlohmann::json> add_pass_through_task(TaskSpec spec = {}) {
        return Pending<nlohmann::json>(start_pass_through(std::move(spec)));
    }

    /// Runs `work(std::stop_token)`, which may return anything that can be copied. Its signal
    /// carries null.
    template <class F, class T = std::decay_t<std::invoke_result_t<F&, std::stop_token>>>
    Pending<T> async(F work, TaskSpec spec = {}) {
        return Pending<T>(start_boxed(
            [work = std::make_shared<F>(std::move(work))](std::stop_token stop) -> detail::Box {
                if constexpr (std::is_void_v<T>) {
                    (*work)(std::move(stop));
                    return {};
                } else {
                    return std::make_shared<T>((*work)(std::move(stop)));
                }
            },
            std::move(spec)));
    }

    /// How many these stopped; unknown work and work that has ended is none.
    virtual std::size_t stop_task(Uid uid, StopScope scope = {}) = 0;
    virtual std::size_t stop_task_group(const Group& group, StopScope scope = {}) = 0;
    virtual std::size_t stop_all_tasks() = 0;

    /// Waits until nothing runs, could be started, or is undelivered; false if `limit` passed first,
    /// and in a slot.
    virtual bool wait_idle(std::chrono::milliseconds limit) = 0;

    using Completed = std::function<void(Uid, const std::optional<Group>&, const nlohmann::json& result)>;
    using Failed = std::function<void(Uid, const std::optional<Group>&, const TaskFailure&)>;
    using Ended = std::function<void(Uid, const std::optional<Group>&)>;
    using GroupFinished = std::function<void(const Group&)>;

    template <class F>
    Connection on_task_completed(F slot) {
        return connect_completed(wrap<Completed>(std::move(slot)));
    }
    template <class F>
    Connection on_task_failed(F slot) {
        return connect_failed(wrap<Failed>(std::move(slot)));
    }
    template <class F>
    Connection on_task_stopped(F slot) {
        return connect_stopped(wrap<Ended>(std::move(slot)));
    }

    /// After the signal of the last task of a group that is left; each time anew.
    template <class F>
    Connection on_task_group_finished(F slot) {
        return connect_group_finished(wrap<GroupFinished>(std::move(slot)));
    }

    struct Stats {
        std::size_t waiting = 0;  ///< for an upstream
        std::size_t ready = 0;    ///< to be started
        std::size_t running = 0;  ///< whose outcome counts
        /// Stopped or timed out, and not returned yet; and ended ones that a thread is letting go of.
        std::size_t discarded_running = 0;
        std::size_t undelivered = 0;  ///< ended, signal not delivered yet
        std::size_t threads = 0;
    };
    virtual Stats stats() const = 0;

protected:
    using Boxed = std::function<detail::Box(std::stop_token)>;
    virtual std::shared_ptr<detail::Core> start(Work work, TaskSpec spec) = 0;
    virtual std::shared_ptr<detail::Core> start_pass_through(TaskSpec spec) = 0;
    virtual std::shared_ptr<detail::Core> start_boxed(Boxed work, TaskSpec spec) = 0;
    virtual Connection connect_completed(Completed slot) = 0;
    virtual Connection connect_failed(Failed slot) = 0;
    virtual Connection connect_stopped(Ended slot) = 0;
    virtual Connection connect_group_finished(GroupFinished slot) = 0;

private:
    template <class Function, class F>
    static Function wrap(F slot) {
        return detail::wrap_slot(std::type_identity<Function>{}, std::move(slot));
    }
};

}  // namespace sg
