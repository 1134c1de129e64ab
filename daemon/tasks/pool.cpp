#include "tasks/pool.hpp"

#include "util/thread.hpp"

namespace sg::tasks {
namespace {

/// The interface.
class OnPool : public TaskManager {
public:
    explicit OnPool(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
    const std::shared_ptr<Pool>& pool() const noexcept { return pool_; }

    Group next_group_id() override {
        static std::atomic<std::uint64_t> last{0};
        return Group(Group::Minted{++last});
    }
    void start_processing() override { pool_->start_processing(); }
    void pause_processing() override { pool_->pause_processing(); }
    bool shut_down(std::optional<std::chrono::milliseconds> limit) override {
        return pool_->shut_down(limit);
    }
    std::size_t stop_task(Uid uid, StopScope scope) override { return pool_->stop_task(uid, scope); }
    std::size_t stop_task_group(const Group& group, StopScope scope) override {
        return pool_->stop_group(group, scope);
    }
    std::size_t stop_all_tasks() override { return pool_->stop_all(); }
    bool wait_idle(std::chrono::milliseconds limit) override { return pool_->wait_idle(limit); }
    Stats stats() const override { return pool_->stats(); }

protected:
    std::shared_ptr<detail::Core> start(Work work, TaskSpec spec) override {
        if (!work) throw std::invalid_argument("a task has no function");
        return pool_->submit(std::move(work), std::move(spec));
    }
    std::shared_ptr<detail::Core> start_pass_through(TaskSpec spec) override {
        return pool_->submit(Task::PassThrough{}, std::move(spec));
    }
    std::shared_ptr<detail::Core> start_boxed(Boxed work, TaskSpec spec) override {
        if (!work) throw std::invalid_argument("a task has no function");
        return pool_->submit(std::move(work), std::move(spec));
    }
    Connection connect_completed(Completed slot) override {
        return pool_->connect(&Pool::completed, std::move(slot));
    }
    Connection connect_failed(Failed slot) override { return pool_->connect(&Pool::failed, std::move(slot)); }
    Connection connect_stopped(Ended slot) override {
        return pool_->connect(&Pool::stopped, std::move(slot));
    }
    Connection connect_group_finished(GroupFinished slot) override {
        return pool_->connect(&Pool::group_finished, std::move(slot));
    }

private:
    std::shared_ptr<Pool> pool_;
};

/// The one who ends the pool.
class Manager final : public OnPool {
public:
    explicit Manager(Options options) : OnPool(std::make_shared<Pool>(std::move(options))) {
        pool()->begin();
    }
    ~Manager() override { pool()->end(); }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
};

class View final : public OnPool {
public:
    View(std::shared_ptr<Pool> pool, std::stop_token stop)
        : OnPool(std::move(pool)), stop_(std::move(stop)) {}
    bool shut_down(std::optional<std::chrono::milliseconds>) override {
        throw Error(Cause::not_supported, "the host ends its task manager by itself");
    }

protected:
    std::shared_ptr<detail::Core> start(Work work, TaskSpec spec) override {
        return OnPool::start(std::move(work), stopping(std::move(spec)));
    }
    std::shared_ptr<detail::Core> start_pass_through(TaskSpec spec) override {
        return OnPool::start_pass_through(stopping(std::move(spec)));
    }
    std::shared_ptr<detail::Core> start_boxed(Boxed work, TaskSpec spec) override {
        return OnPool::start_boxed(std::move(work), stopping(std::move(spec)));
    }

private:
    TaskSpec stopping(TaskSpec spec) const {
        if (!spec.stop.stop_possible()) spec.stop = stop_;
        return spec;
    }
    std::stop_token stop_;
};

Options with_defaults(Options options) {
    if (options.max_threads == 0) options.max_threads = 8;
    if (!options.clock) options.clock = std::make_shared<SystemClock>();
    return options;
}

}  // namespace

std::shared_ptr<TaskManager> make_task_manager(Options options) {
    return std::make_shared<Manager>(std::move(options));
}

std::unique_ptr<TaskManager> make_view(const TaskManager& manager, std::stop_token stop) {
    return std::make_unique<View>(pool_of(manager), std::move(stop));
}

std::shared_ptr<Pool> pool_of(const TaskManager& manager) {
    const auto* const ours = dynamic_cast<const OnPool*>(&manager);
    if (ours == nullptr) throw std::invalid_argument("the task manager is not one of this program's");
    return ours->pool();
}

Pool::Pool(Options options)
    : options_(with_defaults(std::move(options))),
      clock_(options_.clock),
      processing_(options_.start_processing) {}

Pool::~Pool() = default;

void Pool::begin() {
    jump_key_ = clock_->on_jump([this] {
        std::lock_guard lock(mutex_);
        changed_.notify_all();
        timer_changed_.notify_all();
    });
}

TaskManager::Stats Pool::stats() const {
    std::lock_guard lock(mutex_);
    return {waiting_, ready_.size(), running_, discarded_ + letting_go_, undelivered_, thread_count_};
}

void Pool::start_processing() {
    Section section(*this);
    if (closed_) throw Closed();
    processing_ = true;
    wake_workers(section.after());
}

void Pool::pause_processing() {
    Section section(*this);
    processing_ = false;
    note_change();
}

bool Pool::is_closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
}

void Pool::note_change() {
    if (watchers_ > 0) changed_.notify_all();
}

/// Whoever waits has counted itself before it looked, so one of the two sees the other.
void Pool::has_let_go() noexcept {
    --letting_go_;
    if (watchers_ == 0) return;
    std::lock_guard lock(mutex_);
    changed_.notify_all();
}

void Pool::report(std::exception_ptr error) noexcept {
    if (!options_.on_error) return;
    try {
        options_.on_error(std::move(error));
    } catch (...) {
        return;  // there is nobody left to tell
    }
}

Pool::Section::~Section() {
    lock_.unlock();
    see_to_it();
}

void Pool::Section::flush() {
    lock_.unlock();
    see_to_it();
    lock_.lock();
}

void Pool::Section::see_to_it() noexcept {
    for (auto& stop : after_.stops) stop.request_stop();
    for (auto& [waiter, task] : after_.resolved) std::exchange(waiter->then, nullptr)(*task);
    for (auto& error : after_.errors) pool_.report(error);
    if (std::exchange(after_.is_post_due, false)) pool_.post();
    after_.stops.clear();
    after_.resolved.clear();
    after_.errors.clear();
    after_.works.clear();
    after_.edges.clear();
    after_.callers_stops.clear();
    after_.released.clear();
    if (std::exchange(after_.is_counted, false)) pool_.has_let_go();
}

}  // namespace sg::tasks
