// Taking events from the source and handing them out.
#include "dispatch/lane.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <utility>

namespace sg::dispatch {

namespace {

constexpr std::size_t least_reserved = 256;  // ids
constexpr EventId cursor_stride = 5000;      // ids for each hundred plugins; read again after a kill at most
constexpr std::size_t first_window = 16;     // events, until their duration is known
constexpr EventId none = std::numeric_limits<EventId>::max();

}  // namespace

Lane::Lane(std::string plugin, std::uint32_t slot, Shared& shared)
    : plugin_(std::move(plugin)), slot_(slot), shared_(shared), since_(shared.now()) {
    const auto own = shared_.settings.strict_orders.find(plugin_);
    is_strict_ = own == shared_.settings.strict_orders.end() ? shared_.settings.strict_order : own->second;
}

void Lane::load(const checkpoint::Progress& progress) {
    has_start_ = true;
    start_ = progress.start;
    position_ = cursor_ = progress.cursor;
    reserved_ = durably_reserved_ = perhaps_handed_out_ = progress.handed_out;
    note_state();
}

void Lane::start_at(EventId start) {
    has_start_ = true;
    start_ = position_ = cursor_ = reserved_ = durably_reserved_ = start;
    checkpoint::Batch batch;
    batch.set_progress(plugin_, progress());
    save(std::move(batch), checkpoint::Urgency::settled, 0);
    shared_.log.info("[LANE-START] Plugin begins after this event. plugin={} event={}", plugin_, start);
    if (next_) switch_over();
}

void Lane::pump() {
    if (!wishes_.empty() && outstanding() == 0) fulfil_wishes();
    if (generation_ && has_start_) {
        if (held_) is_held();
        pull();
        if (!queue_.empty() || outstanding() > 0 || debts_.size() > 0) {
            hand_out();
            // What was handed out made room; whatever is at hand now goes with the next batch.
            pull();
        }
    }
    note_state();
}

// Taking.

void Lane::live(const event::Stretch& stretch) {
    const bool joins = position_ >= stretch.after && position_ < stretch.through;
    if (generation_ && has_start_ && joins && !fetching_ && !paused_ && has_room(stretch.page)) take(stretch);
    pump();
}

bool Lane::has_room(const event::PagePtr& page) const {
    if (queue_.empty()) return true;
    if (queue_.size() >= shared_.settings.queue_events) return false;
    const auto more = page && queue_.back().event.page != page ? page->bytes() : 0;
    return queue_bytes_ + more <= shared_.settings.queue_bytes;
}

void Lane::pull() {
    if (shared_.source == nullptr || shared_.draining || fetching_ || held_ || paused_) return;
    // Half empty, so that a page is not looked at again for every event that leaves.
    if (queue_.size() > shared_.settings.queue_events / 2 || queue_bytes_ > shared_.settings.queue_bytes / 2)
        return;
    // Where the next page did not fit it is not asked for again until much has left, or a page has.
    if (!queue_.empty() && queue_.size() > full_at_.events / 2 && queue_bytes_ >= full_at_.bytes) return;
    while (position_ < shared_.source->level()) {
        if (strict_limit(position_ + 1) == position_) return;  // until the next one came, or is given up
        const auto stretch = shared_.source->at_hand(position_);
        if (!stretch) return fetch();
        const auto before = position_;
        take(*stretch);
        if (position_ == before) return;  // full
    }
}

void Lane::fetch() {
    if (shared_.gathering) return;
    fetching_ = true;
    late_floor_ = none;
    shared_.source->fetch(position_, [weak = weak_from_this(), ask = ++ask_](event::Stretch stretch) {
        const auto lane = weak.lock();
        if (!lane || ask != lane->ask_) return;
        lane->fetching_ = false;
        lane->fetched(std::move(stretch));
        lane->pump();
    });
}

void Lane::fetched(event::Stretch stretch) {
    if (stretch.through <= position_ || stretch.after > position_) return;
    // The answer may be older than the row that turned up: from there on it is asked for again.
    if (late_floor_ <= stretch.through) stretch.through = late_floor_ - 1;
    if (generation_ && stretch.through > position_) take(stretch);
}

/// A strict lane goes no farther than to the next id that is missing.
EventId Lane::strict_limit(EventId through) const {
    if (!is_strict_ || shared_.source == nullptr) return through;
    const auto missing = shared_.source->awaited(position_);
    return missing ? std::min(through, *missing - 1) : through;
}

EventId Lane::done_through() const {
    return generation_ && has_start_ && !told_halted_ && !paused_ ? lowest_settled() : none;
}

void Lane::take(const event::Stretch& stretch) {
    const EventId limit = strict_limit(stretch.through);
    EventId reached = limit;
    full_at_ = {};
    if (stretch.page) {
        const auto rows = stretch.page->rows();
        const auto wanted = shared_.matches(stretch.page).of(slot_);
        auto next = std::partition_point(wanted.begin(), wanted.end(),
                                         [&](const auto& w) { return rows[w.row].id <= position_; });
        for (; next != wanted.end() && rows[next->row].id <= limit; ++next) {
            if (!has_room(stretch.page)) {
                reached = rows[next->row].id - 1;
                full_at_ = {queue_.size(), queue_bytes_};
                break;
            }
            if (queue_.empty() || queue_.back().event.page != stretch.page)
                queue_bytes_ += stretch.page->bytes();
            queue_.push_back({{stretch.page, next->row}, next->callbacks});
            if (has_gatherers_) split(queue_.back());
            if (!suspects_.empty()) set_aside(queue_.back());
        }
        if (debts_.has_settling()) watch_quiet(*stretch.page, position_, reached);
    }
    position_ = std::max(position_, reached);
    // On the way through what nobody wants the cursor follows in strides: a thousand lanes would store each
    // page.
    const bool passes = queue_.empty() && flights_.empty() && strays_.empty() && shared_.source != nullptr &&
                        position_ < shared_.source->level();
    const auto hundreds = std::max<EventId>(1, static_cast<EventId>(shared_.index.lanes() / 100));
    if (passes && position_ - cursor_ < cursor_stride * hundreds) return;
    checkpoint::Batch batch;
    move_cursor(batch);
    if (!batch.empty()) save(std::move(batch), checkpoint::Urgency::lazy, 0);
}

void Lane::recount_pages() {
    queue_bytes_ = 0;
    const event::EventPage* last = nullptr;
    for (const auto& item : queue_) {
        if (item.event.page.get() != last) queue_bytes_ += item.event.page->bytes();
        last = item.event.page.get();
    }
}

/// Back to the cursor: all that is above it is judged again. Only with nothing in hand.
void Lane::forget_queue() {
    queue_.clear();
    strays_.clear();
    queue_bytes_ = 0;
    position_ = std::max(cursor_, debts_.last_event());
    fetching_ = false;
    ++ask_;
}

// Handing out.

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

std::vector<plugins::Delivery> Lane::next_batch(Clock::Time now) {
    std::vector<plugins::Delivery> batch;
    // What is owed is older than what is queued, so it goes first.
    const auto most = window();
    while (fits(0, most)) {
        const auto due = debts_.start_due(now);
        if (due.debts.empty()) break;
        batch.push_back(delivery_of(due));
    }
    const auto may_follow = takes_turns_ ? shared_.queue_of_turns.done_before(*this) : none;
    const auto room = most - std::min(most, outstanding());
    batch.reserve(batch.size() + std::min(queue_.size(), std::max<std::size_t>(1, room)));
    while (!stands() && !queue_.empty() && !is_held() && fits(queue_.front().event.row().raw.size(), most) &&
           queue_.front().event.id() <= may_follow && is_reserved(queue_.front().event.id())) {
        auto item = std::move(queue_.front());
        queue_.pop_front();
        if (queue_.empty() || queue_.front().event.page != item.event.page)
            queue_bytes_ -= item.event.page->bytes();
        const auto id = item.event.id();
        flight_bytes_ += item.event.row().raw.size();
        auto& flight = flights_.emplace_back();
        flight.item = std::move(item);
        if (flight.item.gatherers != nullptr)
            for (const auto index : *flight.item.gatherers)
                flight.failed.push_back({index, {}, Cause::internal, false, false});
        if (flight.is_complete()) continue;
        auto& delivery = batch.emplace_back();
        delivery.event = flight.item.event;
        delivery.callbacks.assign(flight.item.callbacks->begin(), flight.item.callbacks->end());
        delivery.redelivered = id <= perhaps_handed_out_;
    }
    return batch;
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

// For people.

LaneState Lane::state() const {
    if (shared_.draining) return LaneState::draining;
    if (paused_) return LaneState::paused;
    if (!has_start_) return LaneState::waiting_for_start;
    if (!generation_) return LaneState::waiting_for_plugin;
    if (shared_.paused) return LaneState::unsaved;
    if (told_halted_) return LaneState::halted;
    if (held_) return LaneState::held;
    const bool level = shared_.source != nullptr && position_ >= shared_.source->level();
    return level && queue_.empty() ? LaneState::level : LaneState::behind;
}

void Lane::note_state() {
    if (takes_turns_ && std::exchange(told_done_, done_through()) != done_through())
        shared_.loop.post([weak = weak_from_this()] {
            if (const auto lane = weak.lock()) lane->shared_.queue_of_turns.pump();
        });
    const auto now = state();
    if (now == noted_) return;
    noted_ = now;
    since_ = shared_.now();
    if (now == LaneState::level) warned_behind_ = false;
}

std::optional<std::chrono::sys_seconds> Lane::oldest() const {
    if (flights_.empty() && queue_.empty()) return std::nullopt;
    const auto& item = flights_.empty() ? queue_.front() : flights_.front().item;
    const auto created = item.event.row().created_at;
    return created == std::chrono::sys_seconds() ? std::nullopt : std::optional(created);
}

LaneStatus Lane::status() const {
    LaneStatus out;
    out.plugin = plugin_;
    out.state = state();
    out.since = since_;
    if (out.state == LaneState::waiting_for_plugin) out.why = why_;
    if (out.state == LaneState::halted)
        out.why = fmt::format("owes event {}", debts_.first_stop().value_or(0));
    if (paused_)
        out.why =
            fmt::format("since {:%Y-%m-%d %H:%M:%S} UTC, by {}",
                        fmt::gmtime(checkpoint::Instant::clock::to_time_t(paused_->since)), paused_->by);
    if (out.state == LaneState::held) out.why = fmt::format("owes {} calls", debts_.owed());
    out.start = start_;
    out.position = position_;
    out.cursor = cursor_;
    out.settled = has_start_ ? std::max(cursor_, lowest_settled()) : 0;
    out.oldest = oldest();
    out.queued = queue_.size();
    out.outstanding = outstanding();
    out.pending = debts_.size();
    out.succeeded = succeeded_;
    out.failed = failed_;
    out.skipped = skipped_;
    out.dead = shared_.dead_letters.count(plugin_);
    return out;
}

std::vector<OwedCall> Lane::owed(EventId event) {
    std::vector<OwedCall> out;
    for (const auto* debt : debts_.above(event - 1)) {
        if (debt->event.id() != event) break;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(debt->due - shared_.now());
        out.push_back(
            {debt->callback, debt->attempts, shared_.utc() + left, debt->last_error, debt->running});
    }
    return out;
}

void Lane::begun() {
    warn_if_far_behind();
    pump();
}

void Lane::warn_if_far_behind() {
    if (shared_.source == nullptr || !generation_ || !has_start_ || warned_behind_) return;
    const auto behind = shared_.source->level() - position_;
    if (behind <= shared_.settings.far_behind) return;
    warned_behind_ = true;
    shared_.log.warning("[LANE-BEHIND] Plugin resumes far behind. plugin={} after={} behind={}", plugin_,
                        position_, behind);
}

}  // namespace sg::dispatch
