// Handing events out to the host.
#include <algorithm>
#include <utility>

#include "dispatch/lane.hpp"

namespace sg::dispatch {

namespace {

constexpr std::size_t least_reserved = 256;  // ids
constexpr std::size_t first_window = 16;     // events, until their duration is known

}  // namespace

void Lane::hand_out() {
    if (shared_.draining || shared_.paused || next_ || paused_ || !wishes_.empty()) return;
    // One moment for all of it: what falls due in between would be neither handed out nor waited for.
    const auto now = shared_.now();
    do {
        // Refilled by halves: batches stay large, and the host never waits for us.
        if (outstanding() > window() / 2) break;
        if (auto batch = next_batch(now); !batch.empty()) generation_->deliver(std::move(batch));
    } while (land_gathered());
    arm_retry(now);
}

std::size_t Lane::window() const {
    // All that is in hand may come to be owed: at most as much again as a lane may owe.
    const auto rows = 2 * shared_.settings.pending_rows;
    const auto room = std::max(first_window, rows - std::min(rows, debts_.owed()));
    const auto most = std::max<std::size_t>(1, std::min(shared_.settings.window_events, room));
    // Enough that those who wait for each other leave work for the rest.
    const auto least = at_once_ == 1 ? 1 : 4 * at_once_;
    if (!measured_) return std::min(std::max(first_window, least), most);
    const auto time = std::chrono::microseconds(shared_.settings.window_time);
    const auto each = std::max(per_event_, std::chrono::microseconds(1));
    return std::min(std::max(static_cast<std::size_t>(time / each) * at_once_, least), most);
}

bool Lane::fits(std::size_t bytes, std::size_t most) const {
    if (outstanding() == 0) return true;
    return outstanding() < most &&
           flight_bytes_ + debts_.running_bytes() + bytes <= shared_.settings.window_bytes;
}

plugins::Deliver Lane::next_batch(Clock::Time now) {
    plugins::Deliver batch;
    // What is owed is older than what is queued, so it goes first.
    const auto most = window();
    while (fits(0, most)) {
        const auto due = debts_.start_due(now);
        if (due.debts.empty()) break;
        batch.batch.push_back(delivery_of(due));
    }
    if (stands() || queue_.empty() || is_held()) return batch;
    // Events that are not simply for all who want them, or may have to be the last one, are looked at singly.
    const bool by_run = at_once_ == 1 && !has_stoppers_ && !has_gatherers_ && suspects_.empty();
    if (!by_run)
        batch.batch.reserve(batch.batch.size() + std::min(queued_, most - std::min(most, outstanding())));
    const auto may_follow = takes_turns_ ? shared_.queue_of_turns.done_before(*this) : no_bound;
    while (!stands() && !queue_.empty() && fits(queue_.front().event.row().raw.size(), most) &&
           queue_.front().event.id() <= may_follow && is_reserved(queue_.front().event.id())) {
        if (by_run && !queue_.front().rows.empty())
            add_run(batch, most, std::min(may_follow, durably_reserved_));
        else
            add_single(batch);
    }
    return batch;
}

void Lane::add_single(plugins::Deliver& batch) {
    auto& flight = flights_.emplace_back();
    auto& item = flight.item = queue_.front().first();
    leave_queue(1);
    ++flying_;
    flight_bytes_ += item.event.row().raw.size();
    if (has_gatherers_) split(item);
    if (!suspects_.empty()) set_aside(item);
    if (item.gatherers != nullptr)
        for (const auto index : *item.gatherers)
            flight.failed.push_back({index, {}, Cause::internal, false, false});
    if (flight.is_complete()) return;
    auto& delivery = batch.batch.emplace_back();
    delivery.event = item.event;
    delivery.callbacks.assign(item.callbacks->begin(), item.callbacks->end());
    delivery.redelivered = item.event.id() <= perhaps_handed_out_;
}

/// What is first in the queue, none beyond `limit`, until `most` are in hand.
void Lane::add_run(plugins::Deliver& batch, std::size_t most, EventId limit) {
    auto& item = flights_.emplace_back().item = queue_.front();
    const auto rows = item.event.page->rows();
    const bool redelivered = item.event.id() <= perhaps_handed_out_;
    if (redelivered) limit = std::min(limit, perhaps_handed_out_);
    std::size_t count = 0;
    const event::EventRow* row = &item.event.row();
    do {
        flight_bytes_ += row->raw.size();
        ++flying_;
        if (++count == item.rows.size()) break;
        row = &rows[item.rows[count].row];
    } while (row->id <= limit && fits(row->raw.size(), most));
    leave_queue(count);
    item.rows = item.rows.first(count);
    batch.runs.push_back({item.event.page, item.wanted, item.rows, redelivered});
    is_reserved(item.last());
}

/// Its first events do.
void Lane::leave_queue(std::size_t events) {
    const auto page = queue_.front().event.page;
    queued_ -= events;
    if (!queue_.front().drop(events)) queue_.pop_front();
    if (queue_.empty() || queue_.front().event.page != page) queue_bytes_ -= page->bytes();
}

bool Lane::Item::drop(std::size_t events) {
    if (events >= size()) return false;
    rows = rows.subspan(events);
    event.index = rows.front().row;
    callbacks = rows.front().callbacks;
    gatherers = nullptr;
    return true;
}

bool Lane::may_stop(const Item& item) const {
    return has_stoppers_ && std::any_of(item.callbacks->begin(), item.callbacks->end(),
                                        [&](auto index) { return policy(index) == OnFailure::halt; });
}

/// Whether an event that is owed, or in hand, may have to be the last one.
bool Lane::stands() const {
    return debts_.first_stop() || (!flights_.empty() && may_stop(flights_.back().item));
}

bool Lane::is_held() {
    const auto& settings = shared_.settings;
    const bool full = debts_.owed() >= settings.pending_rows || debts_.owed_bytes() >= settings.pending_bytes;
    if (full && !held_)
        shared_.log.warning(
            "[LANE-HELD] Plugin owes too many failed, late or gathered events; it gets no new ones until "
            "some succeed. "
            "plugin={} owed={} bytes={}",
            plugin_, debts_.owed(), debts_.owed_bytes());
    if (!full && held_) shared_.log.info("[LANE-FREE] Plugin gets new events again. plugin={}", plugin_);
    held_ = full;
    return full;
}

bool Lane::is_reserved(EventId id) {
    // A crash marks what was reserved and never handed out: no more than the host may have had in hand.
    const auto ahead = static_cast<EventId>(std::max(window(), least_reserved));
    if (id + ahead / 2 > reserved_) reserve(std::max(position_, id) + ahead);
    return id <= durably_reserved_;
}

void Lane::reserve(EventId through) {
    reserved_ = through;
    checkpoint::Batch batch;
    batch.set_progress(plugin_, progress());
    const auto ticket = shared_.store.apply(std::move(batch), checkpoint::Urgency::settled);
    // While the disk refuses, events go out all the same: how many is bounded elsewhere.
    shared_.store.when_saved(ticket, [&loop = shared_.loop, weak = weak_from_this(), through](bool) {
        loop.post([weak, through] {
            const auto lane = weak.lock();
            if (!lane) return;
            lane->durably_reserved_ = std::max(lane->durably_reserved_, through);
            lane->pump();
        });
    });
}

void Lane::arm_retry(Clock::Time now) {
    retry_.reset();
    const auto due = debts_.next_due();
    if (!due || *due <= now) return;  // due already: goes out with the next outcome
    retry_ = shared_.loop.at(*due, [weak = weak_from_this()] {
        if (const auto lane = weak.lock()) lane->pump();
    });
}

}  // namespace sg::dispatch
