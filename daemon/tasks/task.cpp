#include "tasks/task.hpp"

#include "tasks/pool.hpp"
#include "tasks/uid_table.hpp"

namespace sg::tasks {

Task::Task(std::shared_ptr<Pool> pool, AnyWork what, TaskSpec how)
    : work(std::move(what)),
      spec(std::move(how)),
      uid_(UidTable::of_process().next()),
      pool_(std::move(pool)) {
    is_json = std::holds_alternative<Work>(work) || std::holds_alternative<PassThrough>(work);
    place = uid_;
}

Task::~Task() {
    UidTable::of_process().erase(*this);
    if (is_request()) pool_->part_from_stage(*this);
}

bool Task::stop() { return pool_->stop(*this); }
void Task::check_wait() const { pool_->check_wait(*this); }

const detail::Box& Task::outcome() const {
    if (was_stopped) throw Stopped((account ? "the request " : "the task ") + uid_.str() + " was stopped");
    if (failure) std::rethrow_exception(failure->error);
    return value;
}

const nlohmann::json& Task::result() const {
    static const nlohmann::json nothing;
    return is_json && value ? *static_cast<const nlohmann::json*>(value.get()) : nothing;
}

void Task::when_settled(std::uint64_t& ticket, std::function<void(const detail::Core&)> then,
                        bool on_executor) {
    pool_->when_settled(*this, ticket, std::move(then), on_executor);
}

void Task::forget(std::uint64_t ticket) noexcept { pool_->forget(*this, ticket); }

}  // namespace sg::tasks
