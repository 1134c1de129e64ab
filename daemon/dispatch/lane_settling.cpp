// What becomes of an event: settled, or owed.
#include <algorithm>
#include <utility>

#include "dispatch/lane.hpp"
#include "event/row_event.hpp"

namespace sg::dispatch {

Debt Lane::debt_of(const checkpoint::Pending& row) const {
    const event::EventRow view{row.event, row.type, row.attribute, row.project, row.created_at, row.body};
    Debt debt;
    debt.event = event::detach(view);
    debt.callback = row.callback;
    debt.attempts = row.attempts;
    debt.last_error = row.last_error;
    debt.history = row.history;
    debt.redelivered = row.redelivered;
    // A wall clock that was moved must not put a try off beyond the longest pause.
    const auto pauses = rule().pauses.value_or(shared_.settings.retry);
    const auto longest = std::max(pauses.floor, pauses.most);
    debt.due = shared_.now() + std::clamp(row.due - shared_.utc(), std::chrono::milliseconds(0), longest);
    return debt;
}

void Lane::load(const checkpoint::Pending& row, bool unclean) {
    auto debt = debt_of(row);
    // One whose callbacks are not known yet cannot have been handed out.
    debt.redelivered = debt.redelivered || (unclean && !row.callback.empty());
    debt.mark_is_stored = debt.redelivered == row.redelivered;
    debts_.put(std::move(debt));
    position_ = std::max(position_, row.event);  // above the cursor: the lane stood there
}

void Lane::retry_letter(const checkpoint::DeadLetter& letter, checkpoint::Batch& batch) {
    batch.try_again(letter, shared_.utc());
    auto debt = debt_of(checkpoint::to_try_again(letter, shared_.utc()));
    assign(debt);
    debt.awaits_disk = true;
    new_debts_.emplace_back(letter.event, letter.callback);
    debts_.put(std::move(debt));
}

void Lane::outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) {
    if (&generation != generation_.get()) return;  // one that was replaced before it had anything in hand
    checkpoint::Batch batch;
    taken_ = shared_.loop.clock().utc();
    to_take_ = outcomes.size();
    for (auto& outcome : outcomes) take_outcome(outcome, batch);
    if (!flights_.empty() && flights_.front().done > 0) acknowledge_part(batch);
    if (at_once_ > 1) acknowledge_overtaken(batch);
    move_cursor(batch);
    save(std::move(batch), checkpoint::Urgency::settled, outcomes.size());
    tell_if_goes_on();
    if (next_ && outstanding() == 0) switch_over();
}

void Lane::take_outcome(plugins::Outcome& outcome, checkpoint::Batch& batch) {
    --to_take_;
    outcome.ok ? ++succeeded_ : ++failed_;
    auto flight = flights_.begin();
    // Nearly always it is the first; debts are between them.
    if (flight != flights_.end() && flight->item.event.id() != outcome.event)
        flight = std::lower_bound(flights_.begin(), flights_.end(), outcome.event,
                                  [](const Flight& f, EventId id) { return f.item.event.id() < id; });
    if (flight != flights_.end() && flight->item.event.id() == outcome.event) {
        flight_outcome(*flight, outcome);
        return land_complete(batch);
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
    tell_ended(flight.item.event.row(), outcome, true);
    if (!outcome.ok) flight.failed.push_back({outcome.callback, std::move(outcome.error), outcome.cause});
}

void Lane::land_complete(checkpoint::Batch& batch) {
    while (!flights_.empty() && flights_.front().is_complete()) {
        land(flights_.front(), batch);
        drop_first_flight();
    }
}

void Lane::drop_first_flight() {
    --flying_;
    auto& first = flights_.front();
    if (!first.item.drop(1)) return flights_.pop_front();
    first.done = 0;
    first.failed.clear();
    first.took = {};
}

/// The event is settled; what failed is owed from now on.
void Lane::land(Flight& flight, checkpoint::Batch& batch) {
    flight_bytes_ -= flight.item.event.row().raw.size();
    if (flight.done > 0) measure(flight.took);
    if (flight.failed.empty()) return;
    const auto event = event::detach(flight.item.event.row());
    for (const auto& failed : flight.failed) owe(event, failed, batch);
}

/// The first event in hand has callbacks that ended and others that have not: these are owed from now on, as
/// running, so that a kill does not repeat the former.
void Lane::acknowledge_part(checkpoint::Batch& batch) {
    auto& first = flights_.front();
    Flight flight{first.item.first(), first.done, std::move(first.failed), first.took};
    drop_first_flight();
    const auto& callbacks = *flight.item.callbacks;
    const auto event = event::detach(flight.item.event.row());
    for (std::size_t open = flight.done; open < callbacks.size(); ++open) {
        Debt debt = new_debt(event, callbacks[open]);
        debt.running = true;
        batch.put_pending(stored(debts_.put(std::move(debt))));
    }
    // As if all of them took as long: the window counts events.
    if (flight.done > 0)
        flight.took = flight.took * static_cast<int>(callbacks.size()) / static_cast<int>(flight.done);
    land(flight, batch);
}

/// Where events may overlap, what ended may stand behind what runs: that is owed from now on, as running, so
/// that a kill does not repeat the former, and the cursor passes both.
void Lane::acknowledge_overtaken(checkpoint::Batch& batch) {
    const auto last =
        std::find_if(flights_.rbegin(), flights_.rend(), [](const auto& f) { return f.done > 0; });
    for (auto left = flights_.rend() - last; left > 0; --left) {
        if (flights_.front().is_complete()) {
            land(flights_.front(), batch);
            drop_first_flight();
        } else {
            acknowledge_part(batch);
        }
    }
    land_complete(batch);
}

void Lane::measure(std::chrono::microseconds took) {
    per_event_ = measured_ ? (per_event_ * 7 + took) / 8 : took;
    measured_ = true;
}

void Lane::tell_ended(const event::EventRow& event, const plugins::Outcome& outcome, bool first) const {
    if (!shared_.on_ended) return;
    const auto callback = outcome.callback < callbacks_.size()
                              ? std::string_view(callbacks_[outcome.callback].name)
                              : std::string_view("unknown");
    shared_.on_ended({plugin_, slot_, callback, event, taken_, outcome.duration, outcome.ok, first,
                      to_take_ / std::max<std::size_t>(1, callbacks_.size())});
}

void Lane::debt_outcome(Debt& debt, plugins::Outcome& outcome, checkpoint::Batch& batch) {
    measure(outcome.duration);
    tell_ended(debt.event.row(), outcome, false);
    for (const auto id : std::exchange(debt.merged, {}))
        if (auto* led = debts_.find(id, debt.callback); led != nullptr && led->running)
            end_debt(*led, outcome, batch);
    end_debt(debt, std::move(outcome), batch);
}

void Lane::end_debt(Debt& debt, plugins::Outcome outcome, checkpoint::Batch& batch) {
    if (!outcome.ok)
        return attempt_failed(debt, {outcome.callback, std::move(outcome.error), outcome.cause}, batch);
    if (debt.attempts > 0 && debt.led_by == 0)
        shared_.log.info(
            "[CALL-RECOVERED] Callback succeeded at last. plugin={} callback={} event={} attempt={}", plugin_,
            debt.callback, outcome.event, debt.attempts + 1);
    settle(debt, batch);
}

// The cursor.

EventId Lane::lowest_settled() const {
    EventId open = position_ + 1;
    if (!flights_.empty())
        open = flights_.front().item.event.id();
    else if (!queue_.empty())
        open = queue_.front().event.id();
    return std::min(open, debts_.first_stop().value_or(open)) - 1;
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
    if (!new_debts_.empty()) urgency = checkpoint::Urgency::settled;  // a callback waits for them
    const auto ticket = shared_.store.apply(std::move(batch), urgency);
    shared_.meter.add(ticket, outcomes);
    free_when_saved(ticket);
}

void Lane::free_when_saved(checkpoint::Store::Ticket ticket) {
    if (new_debts_.empty()) return;
    // While the disk refuses, they go out all the same, as new events do.
    shared_.store.when_saved(
        ticket, [&loop = shared_.loop, weak = weak_from_this(), debts = std::exchange(new_debts_, {})](bool) {
            loop.post([weak, debts] {
                const auto lane = weak.lock();
                if (!lane) return;
                for (const auto& [event, callback] : debts) lane->debts_.saved(event, callback);
                lane->pump();
            });
        });
}

void Lane::late(const event::EventHandle& row, checkpoint::Batch& batch, event::Late how) {
    const auto id = row.id();
    if (!has_start_ || id <= start_) return;
    if (id > position_) {
        if (fetching_) late_floor_ = std::min(late_floor_, id);
        return;
    }
    const bool missed = is_strict_ && how == event::Late::given_up;
    const auto tell = [&] {
        shared_.log.warning(
            "[STRICT-MISSED] Event came after its gap was given up; not delivered to a plugin that wants "
            "strict "
            "order. plugin={} event={} type={}",
            plugin_, id, row.row().type);
    };
    if (id <= cursor_ && !generation_ && missed) return tell();
    if (id <= cursor_ && !generation_) return owe_new(row, {}, batch);  // the next build says who wants it
    for (const auto& match : shared_.index.find(row.row().type, row.row().attribute)) {
        if (match.group != shared_.index.group_of(slot_)) continue;
        const auto* callbacks = match.callbacks;
        if (match.is_conditional) callbacks = shared_.index.narrowed(match, event::RowEvent(row.row()));
        if (callbacks == nullptr) continue;
        if (missed) return tell();
        if (id > cursor_) {
            strays_.emplace(id, Item{row, callbacks});
        } else {
            for (const auto index : *callbacks) owe_new(row, callback_name(index), batch);
        }
    }
}

}  // namespace sg::dispatch
