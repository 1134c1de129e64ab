#pragma once
// Requests: work of several stages, which ends once and has signals of its own.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tasks/task.hpp"

namespace sg::tasks {

struct Share;

template <class Function>
class SlotNode;

/// The functions connected to one signal. Replaced as a whole, so that a delivery under way keeps
/// those it began with.
template <class Function>
using Slots = std::shared_ptr<const std::vector<std::shared_ptr<SlotNode<Function>>>>;

using RequestCompleted = std::function<void(Uid, const detail::Box&)>;
using RequestFailed = std::function<void(Uid, const std::string& message)>;
using RequestCancelled = std::function<void(Uid)>;

/// The requests of one owner on a pool.
///
/// A request is a task that never runs: its stages do, which are tasks without a signal. One of them,
/// or whoever works for it, ends the request. Stopping it, alone or with others, stops its stage as
/// well, but for one that others wait for too and that runs: that is left to them.
///
/// Threads: guarded by the pool's lock; see the functions for requests of `Pool`.
struct Account {
    std::shared_ptr<Share> share{};  ///< set once, before it has requests; of several accounts perhaps
    Slots<RequestCompleted> completed;
    Slots<RequestFailed> failed;
    Slots<RequestCancelled> cancelled;
    std::size_t slot_count = 0;
    MemberList requests;        ///< until their signal was delivered
    std::size_t on_worker = 0;  ///< its stages, and who works for its requests elsewhere
    bool is_closed = false;
};

/// How a stage is to be run.
struct StageSpec {
    int priority = 0;
    std::chrono::milliseconds timeout{0};
    std::string name{};
    bool is_own = true;  ///< false: others wait for it as well
    Uid place{};         ///< among equal priorities; unset: the request's
};

/// Who has one has a fair part of a pool's workers: for whom it is that work waits, they take turns.
std::shared_ptr<Share> make_share();

/// A request as a `Pending` sees it: in the state of its stage.
std::shared_ptr<detail::Core> core_of(std::shared_ptr<Task> request);

/// Somebody who works for an account on a thread that is not running a stage of it.
class Presence {
public:
    Presence(std::shared_ptr<Pool> pool, std::shared_ptr<Account> account);
    ~Presence();
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    explicit operator bool() const noexcept { return is_there_; }  ///< false: the account is closed

private:
    const std::shared_ptr<Pool> pool_;
    const std::shared_ptr<Account> account_;
    const Account* before_ = nullptr;
    bool is_there_ = false;
};

}  // namespace sg::tasks
