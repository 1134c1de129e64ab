// Generations that come and go.
#include <algorithm>
#include <utility>

#include "dispatch/lane.hpp"
#include "event/row_event.hpp"

namespace sg::dispatch {

namespace {

/// Equal for equal callbacks: then what was taken for the one build is right for the other.
std::string signature_of(const std::vector<plugins::CallbackInfo>& callbacks) {
    nlohmann::json out = nlohmann::json::array();
    for (const auto& callback : callbacks)
        out.push_back({callback.name, callback.filter.to_json(), static_cast<int>(callback.on_failure),
                       callback.conditions.to_json(), callback.gathering.coalesce.count(),
                       static_cast<int>(callback.gathering.by), callback.gathering.settle.count(),
                       callback.concurrency, callback.fields});
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string Lane::callback_name(std::uint16_t index) const {
    return index < callbacks_.size() ? callbacks_[index].name : "#" + std::to_string(index);
}

void Lane::ready(std::shared_ptr<plugins::Generation> generation) {
    next_ = std::move(generation);
    takes_turns_ = shared_.queue_of_turns.place(shared_from_this(), next_->file());
    // One event at a time holds across builds too: the new one waits for what the old one has in hand.
    if (outstanding() == 0 && has_start_) switch_over();
    pump();
}

void Lane::switch_over() {
    generation_ = std::move(next_);
    next_.reset();
    why_.clear();
    auto signature = signature_of(generation_->callbacks());
    if (signature != signature_) {
        signature_ = std::move(signature);
        callbacks_ = generation_->callbacks();
        if (const auto& ruled = rule().policy)
            for (auto& callback : callbacks_)
                if (*ruled != OnFailure::halt || !callback.gathering.is_wanted())
                    callback.on_failure = *ruled;
        has_stoppers_ = std::any_of(callbacks_.begin(), callbacks_.end(), [](const auto& callback) {
            return callback.on_failure == OnFailure::halt;
        });
        at_once_ = 1;
        for (const auto& callback : callbacks_)
            at_once_ = std::max(at_once_, static_cast<std::size_t>(callback.concurrency));
        has_gatherers_ = std::any_of(callbacks_.begin(), callbacks_.end(),
                                     [](const auto& callback) { return callback.gathering.is_wanted(); });
        forget_queue();
        splits_.clear();
        shared_.index.set(slot_, callbacks_);
        debts_.assign(callbacks_);
    }
    resolve_unassigned();
    judge_suspects();
    tell_if_goes_on();
    warn_if_far_behind();
}

/// Rows that turned up while nobody could say which callbacks want them.
void Lane::resolve_unassigned() {
    auto debts = debts_.take_unassigned();
    if (debts.empty()) return;
    checkpoint::Batch batch;
    for (auto& debt : debts) {
        batch.erase_pending(plugin_, debt.event.id(), {});
        const event::RowEvent event(debt.event.row());
        for (const auto& callback : callbacks_)
            if (callback.wants(event)) owe_new(debt.event, callback.name, batch);
    }
    save(std::move(batch), checkpoint::Urgency::settled, 0);
}

void Lane::ended(plugins::Generation& generation, const plugins::HostEnd& end) {
    if (&generation == next_.get()) {
        next_.reset();
        return pump();
    }
    if (&generation != generation_.get()) return;
    why_ = end.reason;
    checkpoint::Batch batch;
    return_flights(end, batch);
    return_debts(end, batch);
    move_cursor(batch);
    save(std::move(batch), checkpoint::Urgency::settled, end.running.size());
    generation_.reset();
    if (next_) switch_over();
    pump();
}

/// An event that was begun is settled, its open callbacks owed; the others wait in their old order.
void Lane::return_flights(const plugins::HostEnd& end, checkpoint::Batch& batch) {
    LongDeque<Item> back;
    for (; !flights_.empty(); drop_first_flight()) {
        auto& flight = flights_.front();
        const auto id = flight.item.event.id();
        const auto running = [&](std::uint16_t callback) {
            return std::any_of(end.running.begin(), end.running.end(),
                               [&](const auto& r) { return r.event == id && r.callback == callback; });
        };
        const auto& callbacks = *flight.item.callbacks;
        const auto first_open = callbacks.begin() + static_cast<std::ptrdiff_t>(flight.done);
        if (flight.done == 0 && std::none_of(first_open, callbacks.end(), running)) {
            flight_bytes_ -= flight.item.event.row().raw.size();
            back.push_back(flight.item.first());
            continue;
        }
        for (auto open = first_open; open != callbacks.end(); ++open) {
            const bool was_running = running(*open);
            if (was_running) ++failed_;
            flight.failed.push_back({*open, end.reason, Cause::internal, was_running, was_running,
                                     was_running ? end.last_words : std::string()});
        }
        land(flight, batch);
    }
    queued_ += back.size();
    queue_.insert(queue_.begin(), std::make_move_iterator(back.begin()), std::make_move_iterator(back.end()));
    recount_pages();
}

void Lane::return_debts(const plugins::HostEnd& end, checkpoint::Batch& batch) {
    for (auto* debt : debts_.running()) {
        const bool was_running = std::any_of(end.running.begin(), end.running.end(), [&](const auto& r) {
            return r.event == (debt->led_by != 0 ? debt->led_by : debt->event.id()) &&
                   debt->index == r.callback;
        });
        if (was_running) {
            if (debt->led_by == 0) ++failed_;
            attempt_failed(*debt, {*debt->index, end.reason, Cause::internal, true, true, end.last_words},
                           batch);
        } else {
            debts_.stop(*debt, debt->due);
        }
    }
}

void Lane::refused(const Failure& why, bool will_retry) {
    why_ = why.message + (will_retry ? "; tried again" : "");
}

void Lane::finish(checkpoint::Batch& batch) {
    if (!has_start_) return;
    // Nothing was handed out ahead of the cursor, unless a host still holds it, or an earlier daemon
    // may have done so and this one did not come to it.
    reserved_ = std::max(cursor_, perhaps_handed_out_);
    if (!flights_.empty()) reserved_ = std::max(reserved_, flights_.back().item.last());
    batch.set_progress(plugin_, progress());
    for (auto* debt : debts_.unmarked()) {
        debt->redelivered = true;
        batch.put_pending(stored(*debt));
    }
}

}  // namespace sg::dispatch
