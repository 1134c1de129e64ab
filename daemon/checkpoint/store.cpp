// The writer thread: collects batches into groups and saves them.
#include "checkpoint/store.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "checkpoint/database.hpp"
#include "checkpoint/state_directory.hpp"
#include "util/thread.hpp"

namespace sg::checkpoint {

namespace {

constexpr std::chrono::seconds idle_wait{3600};

class WriterStore final : public Store {
public:
    WriterStore(Options options, Clock& clock, Logger& log, Listener listener, StateDirectory directory,
                std::unique_ptr<Database> database, Snapshot snapshot)
        : options_(std::move(options)),
          clock_(clock),
          log_(log),
          listener_(std::move(listener)),
          snapshot_(std::move(snapshot)),
          directory_(std::move(directory)),
          database_(std::move(database)),
          saved_(Database::whole(snapshot_)) {
        jump_key_ = clock_.on_jump([this] {
            {
                std::lock_guard lock(mutex_);
                ++jumps_;
            }
            changed_.notify_all();
        });
        writer_ = start_thread("checkpoint", [this](std::stop_token stop) { write_groups(stop); });
    }
    ~WriterStore() override {
        clock_.off_jump(jump_key_);
        writer_.request_stop();
        if (writer_.joinable()) writer_.join();
    }

    const Snapshot& snapshot() const noexcept override { return snapshot_; }
    Ticket apply(Batch batch, Urgency urgency) override;
    Ticket durable() const noexcept override { return durable_.load(std::memory_order_acquire); }
    std::uint64_t commits() const noexcept override { return commits_; }
    void when_saved(Ticket ticket, std::function<void(bool)> done) override;
    std::size_t unsaved() const noexcept override { return unsaved_.load(std::memory_order_relaxed); }
    Result<void> flush(std::chrono::milliseconds at_most) override;
    Result<void> close(std::chrono::milliseconds at_most) override;

private:
    void write_groups(std::stop_token stop);
    bool wait_until_due(std::unique_lock<std::mutex>& lock, std::stop_token stop);
    std::optional<Clock::Time> due() const;
    void note_saved(Batch group, Ticket through, std::size_t changes);
    void note_refused(Batch group, const Failure& why);
    void call_waiters(Ticket through, bool durable);
    Result<void> save(const Batch& group);
    Result<void> rebuild();

    const Options options_;
    Clock& clock_;
    Logger& log_;
    const Listener listener_;
    const Snapshot snapshot_;

    // The writer's alone, and `close`'s once it has ended.
    StateDirectory directory_;
    std::unique_ptr<Database> database_;  // none: it was lost and could not be written anew yet
    Batch saved_;                         // all that is on disk, should the disk lose it

    std::mutex mutex_;
    std::condition_variable_any changed_;
    Batch queued_;
    Ticket applied_ = 0;
    std::size_t queued_changes_ = 0;            // urgent ones since the last group, before rows were merged
    std::optional<Clock::Time> urgent_, lazy_;  // when the oldest of either kind must be written
    Clock::Time rested_{};                      // no group is begun before, without need
    std::optional<Clock::Time> retry_;          // set while the disk refuses
    std::optional<Failure> refusal_;
    std::uint64_t refusals_ = 0;
    Ticket flush_through_ = 0;
    std::vector<std::pair<Ticket, std::function<void(bool)>>> waiters_;

    std::atomic<Ticket> durable_{0};
    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::size_t> unsaved_{0};
    int jump_key_ = 0;
    std::uint64_t jumps_ = 0;  // of a clock that does not only tick
    std::jthread writer_;
};

Store::Ticket WriterStore::apply(Batch batch, Urgency urgency) {
    const auto now = clock_.now();
    std::lock_guard lock(mutex_);
    const auto changes = batch.size();
    const bool was_due = due() && *due() <= now;
    const auto before = due();
    queued_.merge(std::move(batch));
    unsaved_ += changes;
    if (urgency == Urgency::settled) {
        queued_changes_ += changes;
        if (!urgent_) urgent_ = std::max(now + options_.group_time, rested_);
    } else if (!lazy_) {
        lazy_ = now + options_.lazy_time;
    }
    ++applied_;
    if (!was_due && due() != before) changed_.notify_all();
    return applied_;
}

/// Under the lock. Nothing: there is nothing to write.
std::optional<Clock::Time> WriterStore::due() const {
    if (applied_ == durable()) return std::nullopt;
    if (flush_through_ > durable()) return Clock::Time::min();
    if (retry_) return retry_;
    if (queued_changes_ >= options_.group_size) return Clock::Time::min();
    if (urgent_ && lazy_) return std::min(*urgent_, *lazy_);
    return urgent_ ? urgent_ : lazy_;
}

bool WriterStore::wait_until_due(std::unique_lock<std::mutex>& lock, std::stop_token stop) {
    while (!stop.stop_requested()) {
        const auto when = due();
        const auto jumps = jumps_;
        if (when && (*when == Clock::Time::min() || *when <= clock_.now())) return true;
        const auto left = when ? clock_.until(*when) : std::nullopt;
        changed_.wait_for(lock, stop, left.value_or(idle_wait),
                          [this, when, jumps] { return due() != when || jumps_ != jumps; });
    }
    return false;
}

void WriterStore::write_groups(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (wait_until_due(lock, stop)) {
        Batch group = std::exchange(queued_, {});
        const auto through = applied_;
        const auto changes = unsaved_.load();
        queued_changes_ = 0;
        urgent_.reset();
        lazy_.reset();
        if (flush_through_ <= through) flush_through_ = 0;
        lock.unlock();
        const auto begun = clock_.now();
        if (auto done = save(group)) {
            note_saved(std::move(group), through, changes);
        } else {
            note_refused(std::move(group), done.error());
        }
        const auto ended = clock_.now();
        lock.lock();
        // A disk that is slow, or busy, gets larger groups rather than one after the other.
        rested_ = ended + std::min<Clock::Duration>(3 * (ended - begun), 4 * options_.group_time);
        if (urgent_) urgent_ = std::max(*urgent_, rested_);
    }
}

void WriterStore::note_saved(Batch group, Ticket through, std::size_t changes) {
    Database::fold(saved_, std::move(group));
    bool recovered = false;
    bool idle = false;
    ++commits_;
    {
        std::lock_guard lock(mutex_);
        durable_.store(through, std::memory_order_release);
        unsaved_ -= changes;
        recovered = refusal_.has_value();
        refusal_.reset();
        retry_.reset();
        idle = applied_ == through;
    }
    changed_.notify_all();
    if (recovered) {
        log_.info("[STATE-SAVED] State is being saved again.");
        if (listener_.on_recovered) listener_.on_recovered();
    }
    call_waiters(through, true);
    if (idle) database_->tidy();
}

void WriterStore::note_refused(Batch group, const Failure& why) {
    bool begins = false;
    Ticket tried = 0;
    {
        std::lock_guard lock(mutex_);
        group.merge(std::move(queued_));
        queued_ = std::move(group);
        begins = !refusal_;
        refusal_ = why;
        ++refusals_;
        retry_ = clock_.now() + options_.retry_pause;
        tried = applied_;
    }
    changed_.notify_all();
    if (begins) {
        log_.error(
            "[STATE-UNSAVED] State cannot be saved; it is kept in memory and tried again. retry_ms={} why={}",
            options_.retry_pause.count(), why.message);
        if (listener_.on_refused) listener_.on_refused(why);
    }
    call_waiters(tried, false);
}

void WriterStore::when_saved(Ticket ticket, std::function<void(bool)> done) {
    bool is_durable = false;
    {
        std::lock_guard lock(mutex_);
        is_durable = ticket <= durable();
        if (!is_durable && !refusal_) {
            waiters_.emplace_back(ticket, std::move(done));
            return;
        }
    }
    done(is_durable);
}

void WriterStore::call_waiters(Ticket through, bool durable) {
    std::vector<std::function<void(bool)>> ready;
    {
        std::lock_guard lock(mutex_);
        std::erase_if(waiters_, [&](auto& waiter) {
            if (waiter.first > through) return false;
            ready.push_back(std::move(waiter.second));
            return true;
        });
    }
    for (const auto& function : ready) function(durable);
}

Result<void> WriterStore::save(const Batch& group) {
    // SQLite writes on into files that were deleted without a word, so it is asked each time.
    if (database_ && (!database_->is_intact() || !directory_.is_intact())) {
        log_.error("[STATE-GONE] The state files were removed or replaced; writing them anew. directory={}",
                   options_.directory.string());
        database_->abandon();
        database_.reset();
    }
    if (!database_)
        if (auto done = rebuild(); !done) return done;
    auto done = database_->save(group);
    if (!done && done.error().cause == Cause::bad_answer) {
        log_.error("[STATE-DAMAGED] The state file was damaged; writing it anew. why={}",
                   done.error().message);
        database_->abandon();
        database_.reset();
        done = rebuild();
        if (done) done = database_->save(group);
    }
    // Before anyone relies on it: once something is stored, a missing file is never a first start.
    if (done && Database::begins(group)) done = directory_.set_begun();
    return done;
}

Result<void> WriterStore::rebuild() {
    namespace fs = std::filesystem;
    std::error_code error;
    if (auto done = directory_.restore(); !done) return done;
    const auto file = directory_.database();
    const auto beside = [&file](const char* suffix) { return fs::path(file.string() + suffix); };
    if (fs::exists(file, error)) fs::rename(file, beside(".set-aside"), error);
    // Whole under another name first, then renamed: whoever looks sees the old state or the new.
    // A log left from before would be taken for the new file's, so it goes.
    for (const char* suffix : {"-wal", "-shm", ".new", ".new-wal", ".new-shm"})
        fs::remove(beside(suffix), error);
    {
        auto fresh = Database::open(beside(".new"), Database::Fresh::allow);
        if (!fresh) return fail(fresh.error(), "writing the state anew");
        auto done = (*fresh)->save(saved_);
        if (done) done = (*fresh)->set_clean(false);
        if (!done) return fail(done.error(), "writing the state anew");
    }
    fs::rename(beside(".new"), file, error);
    if (error) return fail(Cause::internal, "cannot rename {}: {}", beside(".new").string(), error.message());
    if (auto done = directory_.sync(); !done) return done;
    auto opened = Database::open(file, Database::Fresh::refuse);
    if (!opened) return tl::unexpected(opened.error());
    database_ = std::move(*opened);
    log_.info("[STATE-REWRITTEN] State was written anew from memory. file={}", file.string());
    return {};
}

Result<void> WriterStore::flush(std::chrono::milliseconds at_most) {
    const auto end = clock_.now() + at_most;
    std::unique_lock lock(mutex_);
    const auto wanted = applied_;
    const auto refusals = refusals_;
    while (durable() < wanted) {
        if (refusals_ != refusals && refusal_) return tl::unexpected(*refusal_);
        const auto now = clock_.now();
        if (now >= end) return fail(Cause::timed_out, "state was not saved within {} ms", at_most.count());
        flush_through_ = std::max(flush_through_, wanted);
        changed_.notify_all();
        changed_.wait_for(lock, clock_.until(end).value_or(idle_wait));
    }
    return {};
}

Result<void> WriterStore::close(std::chrono::milliseconds at_most) {
    if (auto done = flush(at_most); !done) return done;
    writer_.request_stop();
    if (writer_.joinable()) writer_.join();
    if (!database_) return {};
    if (!database_->is_intact()) {
        database_->abandon();
        database_.reset();
        if (auto done = rebuild(); !done) return done;
    }
    Result<void> done;
    if (options_.as == As::daemon) done = database_->set_clean(true);
    database_.reset();
    return done;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Options options, Clock& clock, Logger& log, Listener listener) {
    auto directory = StateDirectory::open(options.directory, log);
    if (!directory) return tl::unexpected(directory.error());
    const auto fresh = directory->has_begun() ? Database::Fresh::refuse : Database::Fresh::allow;
    auto database = Database::open(directory->database(), fresh);
    if (!database) return tl::unexpected(database.error());
    auto snapshot = (*database)->load();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const bool holds_nothing = !snapshot->highest_seen && snapshot->plugins.empty();
    if (holds_nothing && directory->has_begun())
        return fail(Cause::bad_answer,
                    "{} holds nothing although this directory held state before (was its -wal file removed?)",
                    directory->database().string());
    if (holds_nothing) snapshot->clean = true;
    auto done = directory->sync();
    if (done && !holds_nothing) done = directory->set_begun();
    if (done && options.as == As::daemon) done = (*database)->set_clean(false);
    if (!done) return tl::unexpected(done.error());
    return std::make_unique<WriterStore>(std::move(options), clock, log, std::move(listener),
                                         std::move(*directory), std::move(*database), std::move(*snapshot));
}

OpenRefusal open_refusal(const Failure& failure) noexcept {
    if (failure.cause == Cause::busy) return OpenRefusal::locked;
    return failure.cause == Cause::bad_answer ? OpenRefusal::damaged : OpenRefusal::io;
}

}  // namespace sg::checkpoint
