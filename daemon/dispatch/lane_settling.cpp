// What becomes of an event: settled, or owed.
#include <algorithm>
#include <utility>

#include "dispatch/lane.hpp"

namespace sg::dispatch {

void Lane::load(const checkpoint::Pending& row, bool unclean) {
    const event::EventRow view{row.event, row.type, row.attribute, row.project, row.created_at, row.body};
    Debt debt;
    debt.event = event::detach(view);
    debt.callback = row.callback;
    debt.attempts = row.attempts;
    debt.last_error = row.last_error;
    debt.redelivered = row.redelivered || unclean;
    // A wall clock that was moved must not put a try off beyond the longest pause.
    const auto longest = std::max(shared_.settings.retry.floor, shared_.settings.retry.most);
    debt.due = shared_.now() + std::clamp(row.due - shared_.utc(), std::chrono::milliseconds(0), longest);
    debts_.put(std::move(debt));
}

void Lane::outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) {
    if (&generation != generation_.get()) return;  // one that was replaced before it had anything in hand
    checkpoint::Batch batch;
    for (auto& outcome : outcomes) take_outcome(outcome, batch);
    move_cursor(batch);
    save(std::move(batch), checkpoint::Urgency::settled, outcomes.size());
    if (next_ && outstanding() == 0) switch_over();
    pump();
}

void Lane::take_outcome(plugins::Outcome& outcome, checkpoint::Batch& batch) {
    outcome.ok ? ++succeeded_ : ++failed_;
    auto flight = flights_.begin();
    // Nearly always it is the first; debts are between them.
    if (flight != flights_.end() && flight->item.event.id() != outcome.event)
        flight = std::lower_bound(flights_.begin(), flights_.end(), outcome.event,
                                  [](const Flight& f, EventId id) { return f.item.event.id() < id; });
    if (flight != flights_.end() && flight->item.event.id() == outcome.event) {
        flight_outcome(*flight, outcome);
        while (!flights_.empty() && flights_.front().done == flights_.front().item.callbacks->size()) {
            land(flights_.front(), batch);
            flights_.pop_front();
        }
        return;
    }
    Debt* debt = debts_.find(outcome.event, callback_name(outcome.callback));
    if (debt != nullptr && debt->running) return debt_outcome(*debt, outcome, batch);
    shared_.log.error("[LANE-OUTCOME] A host reported an outcome that nobody waits for. plugin={} event={}",
                      plugin_, outcome.event);
}

void Lane::flight_outcome(Flight& flight, plugins::Outcome& outcome) {
    const auto& callbacks = *flight.item.callbacks;
    if (flight.done == callbacks.size() || callbacks[flight.done] != outcome.callback) {
        shared_.log.error(
            "[LANE-OUTCOME] A host reported a callback out of order. plugin={} event={} callback={}", plugin_,
            outcome.event, callback_name(outcome.callback));
        return;
    }
    ++flight.done;
    flight.took += outcome.duration;
    if (!outcome.ok) flight.failed.push_back({outcome.callback, std::move(outcome.error), false, true});
}

/// The event is settled; what failed is owed from now on.
void Lane::land(Flight& flight, checkpoint::Batch& batch) {
    flight_bytes_ -= flight.item.event.row().raw.size();
    measure(flight.took);
    if (flight.failed.empty()) return;
    const auto event = event::detach(flight.item.event.row());
    for (const auto& failed : flight.failed) owe(event, failed, batch);
}

void Lane::measure(std::chrono::microseconds took) {
    per_event_ = measured_ ? (per_event_ * 7 + took) / 8 : took;
    measured_ = true;
}

void Lane::debt_outcome(Debt& debt, plugins::Outcome& outcome, checkpoint::Batch& batch) {
    measure(outcome.duration);
    if (!outcome.ok) return try_again(debt, std::move(outcome.error), false, batch);
    if (debt.attempts > 0)
        shared_.log.info(
            "[CALL-RECOVERED] Callback succeeded at last. plugin={} callback={} event={} attempt={}", plugin_,
            debt.callback, outcome.event, debt.attempts + 1);
    const auto callback = debt.callback;
    batch.erase_pending(plugin_, outcome.event, callback);
    debts_.erase(outcome.event, callback);
}

// Owing.

void Lane::owe(const event::EventHandle& event, const Failed& failed, checkpoint::Batch& batch) {
    Debt debt;
    debt.event = event;
    debt.callback = callback_name(failed.callback);
    debt.index = failed.callback;
    debt.due = shared_.now();
    Debt& kept = debts_.put(std::move(debt));
    if (failed.started) return try_again(kept, failed.error, failed.redelivered, batch);
    batch.put_pending(stored(kept));
}

void Lane::owe_new(const event::EventHandle& event, const std::string& callback, checkpoint::Batch& batch) {
    if (debts_.find(event.id(), callback) != nullptr) return;
    Debt debt;
    debt.event = event;
    debt.callback = callback;
    debt.due = shared_.now();
    for (std::size_t i = 0; i < callbacks_.size(); ++i)
        if (callbacks_[i].name == callback) debt.index = static_cast<std::uint16_t>(i);
    batch.put_pending(stored(debts_.put(std::move(debt))));
}

/// One more attempt has failed.
void Lane::try_again(Debt& debt, std::string error, bool redelivered, checkpoint::Batch& batch) {
    constexpr std::size_t longest_error = 4000;
    if (error.size() > longest_error) error.resize(longest_error);
    ++debt.attempts;
    debt.last_error = std::move(error);
    debt.redelivered = redelivered;
    const auto pause = pause_after(debt.attempts);
    debts_.stop(debt, shared_.now() + pause);
    shared_.log.log(debt.attempts == 1 ? LogLevel::warning : LogLevel::debug,
                    "[CALL-FAILED] Callback failed; trying again. plugin={} callback={} event={} attempt={} "
                    "wait_ms={} why={}",
                    plugin_, debt.callback, debt.event.id(), debt.attempts,
                    std::chrono::duration_cast<std::chrono::milliseconds>(pause).count(), debt.last_error);
    batch.put_pending(stored(debt));
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
    return out;
}

Clock::Duration Lane::pause_after(std::uint32_t attempts) {
    Backoff backoff(shared_.settings.retry, shared_.random());
    for (std::uint32_t i = 1; i < std::min(attempts, 64U); ++i) backoff.next();
    return backoff.next();
}

// The cursor.

EventId Lane::lowest_settled() const {
    if (!flights_.empty()) return flights_.front().item.event.id() - 1;
    return queue_.empty() ? position_ : queue_.front().event.id() - 1;
}

void Lane::move_cursor(checkpoint::Batch& batch) {
    const auto reached = std::max(cursor_, lowest_settled());
    while (!strays_.empty() && strays_.begin()->first <= reached) {
        const auto& item = strays_.begin()->second;
        for (const auto index : *item.callbacks) owe_new(item.event, callback_name(index), batch);
        strays_.erase(strays_.begin());
    }
    const bool moved = reached != cursor_;
    cursor_ = reached;
    reserved_ = std::max(reserved_, cursor_);
    if (moved || !batch.empty()) batch.set_progress(plugin_, progress());
}

void Lane::save(checkpoint::Batch batch, checkpoint::Urgency urgency, std::size_t outcomes) {
    if (batch.empty()) return;
    shared_.meter.add(shared_.store.apply(std::move(batch), urgency), outcomes);
}

void Lane::late(const event::EventHandle& row, checkpoint::Batch& batch) {
    const auto id = row.id();
    if (!has_start_ || id <= start_) return;
    if (id > position_) {
        if (fetching_) late_floor_ = std::min(late_floor_, id);
        return;
    }
    if (id <= cursor_ && !generation_) return owe_new(row, {}, batch);  // the next build says who wants it
    for (const auto& match : shared_.index.find(row.row().type, row.row().attribute)) {
        if (match.lane != slot_) continue;
        if (id > cursor_) {
            strays_.emplace(id, Item{row, match.callbacks});
        } else {
            for (const auto index : *match.callbacks) owe_new(row, callback_name(index), batch);
        }
    }
}

}  // namespace sg::dispatch
