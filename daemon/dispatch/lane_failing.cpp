// Owing, and what becomes of what is owed: tried again, skipped, given up, or waited for.
#include <algorithm>
#include <utility>

#include "dispatch/lane.hpp"

namespace sg::dispatch {

namespace {

constexpr std::chrono::minutes quiet_time{1};

/// The site was away, or did not know us: no event is at fault, and no other would have fared better.
bool is_excused(Cause cause, bool draining) {
    switch (cause) {
        case Cause::network:
        case Cause::timed_out:
        case Cause::busy:
        case Cause::authentication:
            return true;
        case Cause::stopped:
            return draining;
        default:
            return false;
    }
}

}  // namespace

const FailureRule& Lane::rule() const {
    const auto own = shared_.settings.failures.find(plugin_);
    return own == shared_.settings.failures.end() ? shared_.settings.failure : own->second;
}

OnFailure Lane::policy(std::uint16_t callback) const {
    return callback < callbacks_.size() ? callbacks_[callback].on_failure : OnFailure::retry;
}

Debt Lane::new_debt(const event::EventHandle& event, std::uint16_t callback) const {
    Debt debt;
    debt.event = event;
    debt.callback = callback_name(callback);
    debt.index = callback;
    debt.stops = policy(callback) == OnFailure::halt;
    debt.due = shared_.now();
    debt.redelivered = event.id() <= perhaps_handed_out_;
    gather(debt);
    return debt;
}

void Lane::owe(const event::EventHandle& event, const Failed& failed, checkpoint::Batch& batch) {
    Debt& kept = debts_.put(new_debt(event, failed.callback));
    if (failed.started) return attempt_failed(kept, failed, batch);
    if (const auto found = suspect_of(event.id(), kept.callback); found != suspects_.end()) {
        found->settle();
        suspects_.erase(found);
        return crashed_before(kept, batch);
    }
    batch.put_pending(stored(kept));
}

void Lane::assign(Debt& debt) const {
    for (std::size_t i = 0; i < callbacks_.size(); ++i)
        if (callbacks_[i].name == debt.callback) debt.index = static_cast<std::uint16_t>(i);
    debt.stops = debt.index && policy(*debt.index) == OnFailure::halt;
    if (debt.index) set_gathering(debt, callbacks_[*debt.index].gathering);
}

void Lane::owe_new(const event::EventHandle& event, const std::string& callback, checkpoint::Batch& batch) {
    if (debts_.find(event.id(), callback) != nullptr) return;
    Debt debt;
    debt.event = event;
    debt.callback = callback;
    debt.due = shared_.now();
    assign(debt);
    gather(debt);
    debt.awaits_disk = true;
    new_debts_.emplace_back(event.id(), callback);
    batch.put_pending(stored(debts_.put(std::move(debt))));
}

checkpoint::Pending Lane::stored(const Debt& debt) const {
    const auto& row = debt.event.row();
    checkpoint::Pending out;
    out.plugin = plugin_;
    out.event = row.id;
    out.callback = debt.callback;
    out.attempts = debt.attempts;
    const auto left = std::max(Clock::Duration::zero(), debt.due - shared_.now());
    out.due = shared_.utc() + std::chrono::ceil<std::chrono::milliseconds>(left);
    out.last_error = debt.last_error;
    out.body = row.raw;
    out.redelivered = debt.redelivered;
    out.type = row.type;
    out.attribute = row.attribute;
    out.project = row.project;
    out.created_at = row.created_at;
    out.history = debt.history;
    return out;
}

void Lane::settle(Debt& debt, checkpoint::Batch& batch) {
    const auto event = debt.event.id();
    const auto callback = debt.callback;
    batch.erase_pending(plugin_, event, callback);
    debts_.erase(event, callback);
}

/// One more attempt has failed.
void Lane::attempt_failed(Debt& debt, Failed failed, checkpoint::Batch& batch) {
    ++debt.attempts;
    // An outcome that nobody knows stays unknown, whatever later tries come to.
    debt.redelivered = debt.redelivered || failed.crashed;
    debt.mark_is_stored = true;
    const bool in_doubt = failed.in_doubt;
    note_error(debt, std::move(failed));
    const auto policy = this->policy(debt.index.value_or(std::numeric_limits<std::uint16_t>::max()));
    const bool has_failed = !in_doubt || debt.history.crashes >= rule().crashes;
    if (policy == OnFailure::skip && has_failed) return skip(debt, batch);
    if (policy == OnFailure::retry)
        if (auto why = reason_to_give_up(debt); why && give_up(debt, std::move(*why), batch)) return;
    try_again(debt, batch);
}

void Lane::note_error(Debt& debt, Failed failed) {
    constexpr std::size_t longest_error = 4000;
    if (failed.error.size() > longest_error) failed.error.resize(longest_error);
    auto& history = debt.history;
    history.add({debt.attempts, shared_.utc(), failed.cause, failed.crashed, failed.error});
    if (failed.crashed) {
        ++history.crashes;
        const auto size = failed.trace.size();
        history.trace =
            failed.trace.substr(size - std::min<std::size_t>(size, checkpoint::History::longest_trace));
    } else if (is_excused(failed.cause, shared_.draining)) {
        ++history.excused;
    }
    if (generation_) history.build = generation_->build();
    debt.last_error = std::move(failed.error);
}

void Lane::try_again(Debt& debt, checkpoint::Batch& batch) {
    const auto pause = pause_after(debt.attempts);
    const bool is_led = debt.led_by != 0;  // whoever leads it says so
    debt.history.waited += std::chrono::duration_cast<std::chrono::milliseconds>(pause);
    debts_.stop(debt, shared_.now() + pause);
    if (debt.stops && !std::exchange(told_halted_, true)) {
        tell_halted(debt, pause);
    } else {
        shared_.log.log(
            debt.attempts == 1 && !is_led ? LogLevel::warning : LogLevel::debug,
            "[CALL-FAILED] Callback failed; trying again. plugin={} callback={} event={} attempt={} "
            "wait_ms={} why={}",
            plugin_, debt.callback, debt.event.id(), debt.attempts,
            std::chrono::duration_cast<std::chrono::milliseconds>(pause).count(), debt.last_error);
    }
    batch.put_pending(stored(debt));
}

Clock::Duration Lane::pause_after(std::uint32_t attempts) {
    Backoff backoff(rule().pauses.value_or(shared_.settings.retry), shared_.random());
    for (std::uint32_t i = 1; i < std::min(attempts, 64U); ++i) backoff.next();
    return backoff.next();
}

void Lane::skip(Debt& debt, checkpoint::Batch& batch) {
    ++skipped_;
    shared_.log.error(
        "[CALL-SKIPPED] Callback failed; it does not get the event again. plugin={} callback={} "
        "event={} skipped={} why={}",
        plugin_, debt.callback, debt.event.id(), skipped_, debt.last_error);
    settle(debt, batch);
}

// Giving up.

std::optional<std::string> Lane::reason_to_give_up(const Debt& debt) const {
    const auto& limits = rule();
    const auto& history = debt.history;
    const auto own = debt.attempts - std::min(debt.attempts, history.excused);
    if (history.crashes >= limits.crashes) return fmt::format("its host died {} times", history.crashes);
    if (own >= limits.attempts) return fmt::format("{} attempts failed", debt.attempts);
    if (limits.give_up_after && history.waited >= *limits.give_up_after)
        return fmt::format("it was tried for {} s",
                           std::chrono::duration_cast<std::chrono::seconds>(history.waited).count());
    return std::nullopt;
}

/// False: there is no room for its letter.
bool Lane::give_up(Debt& debt, std::string why, checkpoint::Batch& batch) {
    const auto& row = debt.event.row();
    checkpoint::DeadLetter letter;
    letter.plugin = plugin_;
    letter.event = row.id;
    letter.callback = debt.callback;
    letter.attempts = debt.attempts;
    letter.died = shared_.utc();
    letter.why = why;
    letter.redelivered = debt.redelivered;
    letter.type = row.type;
    letter.attribute = row.attribute;
    letter.project = row.project;
    letter.created_at = row.created_at;
    letter.body = row.raw;
    letter.history = debt.history;
    if (!shared_.dead_letters.add(std::move(letter), batch)) return false;
    tell_given_up(debt.callback, row.id, why, debt.last_error);
    settle(debt, batch);
    return true;
}

/// The first at once; of those that follow within a minute, their number.
void Lane::tell_given_up(const std::string& callback, EventId event, const std::string& why,
                         const std::string& error) {
    if (quiet_) {
        ++untold_;
        shared_.log.debug(
            "[DEAD-LETTER] An event is given up. plugin={} callback={} event={} reason=[{}] why={}", plugin_,
            callback, event, why, error);
        return;
    }
    quiet_ = true;
    shared_.log.error(
        "[DEAD-LETTER] An event is given up and kept as a dead letter: see sgeventd dead-letters. plugin={} "
        "callback={} event={} reason=[{}] why={}",
        plugin_, callback, event, why, error);
    tell_ = shared_.loop.after(quiet_time, [weak = weak_from_this()] {
        const auto lane = weak.lock();
        if (!lane) return;
        lane->quiet_ = false;
        if (const auto more = std::exchange(lane->untold_, 0); more > 0)
            lane->shared_.log.error(
                "[DEAD-LETTERS-MORE] More events were given up since. plugin={} events={} letters={}",
                lane->plugin_, more, lane->shared_.dead_letters.count(lane->plugin_));
    });
}

// Standing at an event.

void Lane::tell_halted(const Debt& debt, Clock::Duration pause) {
    shared_.log.error(
        "[LANE-HALTED] Callback failed; the plugin stands at this event until it succeeds. plugin={} "
        "callback={} event={} attempt={} wait_ms={} why={}",
        plugin_, debt.callback, debt.event.id(), debt.attempts,
        std::chrono::duration_cast<std::chrono::milliseconds>(pause).count(), debt.last_error);
}

void Lane::tell_if_goes_on() {
    if (!told_halted_ || debts_.first_stop()) return;
    told_halted_ = false;
    shared_.log.info("[LANE-RESUMED] Plugin goes on. plugin={} after={}", plugin_, cursor_);
}

}  // namespace sg::dispatch
