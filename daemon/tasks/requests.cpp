// Requests and their stages.

#include "tasks/pool.hpp"
#include "tasks/uid_table.hpp"
#include "tasks/worker.hpp"

namespace sg::tasks {

namespace {

class RequestCore final : public detail::Core {
public:
    explicit RequestCore(std::shared_ptr<Task> request) : request_(std::move(request)) {}

    Uid uid() const noexcept override { return request_->uid(); }
    TaskState state() const noexcept override {
        const auto state = request_->state();
        return state == TaskState::waiting ? request_->stage_state.load() : state;
    }
    bool stop() override { return request_->stop(); }
    void check_wait() const override { request_->check_wait(); }
    const detail::Box& outcome() const override { return request_->outcome(); }
    void when_settled(std::uint64_t& ticket, std::function<void(const detail::Core&)> then,
                      bool on_executor) override {
        request_->when_settled(ticket, std::move(then), on_executor);
    }
    void forget(std::uint64_t ticket) noexcept override { request_->forget(ticket); }

private:
    const std::shared_ptr<Task> request_;
};

}  // namespace

std::shared_ptr<detail::Core> core_of(std::shared_ptr<Task> request) {
    return std::make_shared<RequestCore>(std::move(request));
}

std::shared_ptr<Share> make_share() { return std::make_shared<Share>(); }

Share& ReadyQueue::share_of(const Task& task) {
    return task.account && task.account->share ? *task.account->share : common_;
}

Presence::Presence(std::shared_ptr<Pool> pool, std::shared_ptr<Account> account)
    : pool_(std::move(pool)), account_(std::move(account)), before_(Worker::account()) {
    is_there_ = pool_->arrive(*account_);
    if (is_there_) Worker::set_account(account_.get());
}

Presence::~Presence() {
    if (!is_there_) return;
    Worker::set_account(before_);
    pool_->depart(*account_);
}

bool Pool::arrive(Account& account) {
    std::lock_guard lock(mutex_);
    if (account.is_closed) return false;
    ++account.on_worker;
    return true;
}

void Pool::depart(Account& account) {
    std::lock_guard lock(mutex_);
    --account.on_worker;
    note_change();
}

std::shared_ptr<Task> Pool::open_request(const std::shared_ptr<Account>& account, std::stop_token stop) {
    const bool may_stop = stop.stop_possible();
    TaskSpec spec;
    spec.stop = std::move(stop);
    const auto task =
        std::make_shared<Task>(shared_from_this(), Task::AnyWork(Task::NeverRuns{}), std::move(spec));
    task->account = account;
    UidTable::of_process().insert(*task);
    {
        Section section(*this);
        if (closed_ || account->is_closed) throw Closed();
        check_room();
        task->keep = task;
        live_.push_back(*task);
        account->requests.push_back(*task);
    }
    if (may_stop) watch_callers_stop(task);
    return task;
}

bool Pool::begin_stage(Task& request, Stage work, StageSpec how) {
    TaskSpec spec;
    spec.priority = how.priority;
    spec.timeout = how.timeout;
    spec.name = std::move(how.name);
    const auto stage =
        std::make_shared<Task>(shared_from_this(), Task::AnyWork(std::move(work)), std::move(spec));
    stage->account = request.account;
    stage->is_a_stage = true;
    stage->is_own_stage = how.is_own;
    stage->place = how.place ? how.place : request.uid();
    Section section(*this);
    if (request.has_settled()) return false;
    if (request.stage != nullptr) request.stage->request = nullptr;
    request.stage = stage.get();
    stage->request = &request;
    request.stage_state = TaskState::ready;
    enter(*stage, section.after());
    return true;
}

bool Pool::leave_stage(Task& request) {
    Section section(*this);
    if (request.has_settled()) return false;
    if (request.stage != nullptr) request.stage->request = nullptr;
    request.stage = nullptr;
    request.stage_state = TaskState::waiting;
    if (!request.is_cleared) return true;
    section.after().released.push_back(request.shared_from_this());
    end_stopped(request, section.after());
    return false;
}

bool Pool::end_request(Task& request, detail::Box value, std::shared_ptr<const TaskFailure> failure) {
    Section section(*this);
    if (request.has_settled()) return false;
    section.after().released.push_back(request.shared_from_this());
    request.value = std::move(value);
    request.failure = std::move(failure);
    settle(request, section.after());
    note_change();
    return true;
}

std::shared_ptr<Task> Pool::find_request(const Account& account, Uid uid) const {
    auto task = UidTable::of_process().find(uid);
    return task && task->is_request() && task->account.get() == &account ? task : nullptr;
}

std::size_t Pool::clear(Account& account) {
    Section section(*this);
    std::vector<Task*> idle;
    for (auto& request : account.requests) {
        if (request.has_settled()) continue;
        if (request.stage != nullptr && request.stage->state() == TaskState::running)
            request.is_cleared = true;
        else
            idle.push_back(&request);
    }
    return stop_set(std::move(idle), {}, section.after());
}

bool Pool::clear(Task& request) {
    const auto alive = request.shared_from_this();
    Section section(*this);
    if (request.has_settled()) return false;
    if (request.stage != nullptr && request.stage->state() == TaskState::running) {
        request.is_cleared = true;
        return false;
    }
    return stop_set({&request}, {}, section.after()) > 0;
}

/// Of a stage that has left its worker, or never comes to one.
void Pool::part_from_request(Task& stage) {
    if (stage.request != nullptr && stage.request->stage == &stage) stage.request->stage = nullptr;
    stage.request = nullptr;
}

/// A worker may hold on to the stage a little longer than anybody does to the request.
void Pool::part_from_stage(Task& request) noexcept {
    std::lock_guard lock(mutex_);
    if (request.stage != nullptr) request.stage->request = nullptr;
}

}  // namespace sg::tasks
