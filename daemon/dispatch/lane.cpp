// Taking events from the source.
#include "dispatch/lane.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <utility>

namespace sg::dispatch {

namespace {

constexpr EventId cursor_stride = 5000;  // ids for each hundred plugins; read again after a kill at most

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
    if (queued_ >= shared_.settings.queue_events) return false;
    const auto more = page && queue_.back().event.page != page ? page->bytes() : 0;
    return queue_bytes_ + more <= shared_.settings.queue_bytes;
}

void Lane::pull() {
    if (shared_.source == nullptr || shared_.draining || fetching_ || held_ || paused_) return;
    // Half empty, so that a page is not looked at again for every event that leaves.
    if (queued_ > shared_.settings.queue_events / 2 || queue_bytes_ > shared_.settings.queue_bytes / 2)
        return;
    // Where the next page did not fit it is not asked for again until much has left, or a page has.
    if (!queue_.empty() && queued_ > full_at_.events / 2 && queue_bytes_ >= full_at_.bytes) return;
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
    late_floor_ = no_bound;
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

bool Lane::goes_on() const { return generation_ && has_start_ && !told_halted_ && !paused_; }
EventId Lane::taken_through() const { return goes_on() ? position_ : no_bound; }
EventId Lane::done_through() const { return goes_on() ? lowest_settled() : no_bound; }

void Lane::take(const event::Stretch& stretch) {
    const EventId limit = strict_limit(stretch.through);
    EventId reached = limit;
    full_at_ = {};
    if (stretch.page) {
        if (const auto refused = take_rows(stretch.page, limit)) {
            reached = *refused - 1;
            full_at_ = {queued_, queue_bytes_};
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

/// Those above its position, as far as there is room: the first for which there is none.
std::optional<EventId> Lane::take_rows(const event::PagePtr& page, EventId limit) {
    const auto wanted = shared_.matches(page).of(shared_.index.group_of(slot_));
    if (!wanted) return std::nullopt;
    const auto rows = page->rows();
    const auto first_above = [&](EventId id) {
        return std::partition_point(wanted->rows.begin(), wanted->rows.end(),
                                    [&](const auto& w) { return rows[w.row].id <= id; });
    };
    const std::span more(first_above(position_), first_above(limit));
    if (more.empty()) return std::nullopt;
    if (!has_room(page)) return rows[more.front().row].id;
    const auto room = shared_.settings.queue_events - std::min(queued_, shared_.settings.queue_events);
    const auto taken = more.first(std::min(more.size(), std::max<std::size_t>(1, room)));
    if (queue_.empty() || queue_.back().event.page != page) queue_bytes_ += page->bytes();
    queue_.push_back({{page, taken.front().row}, taken.front().callbacks, nullptr, wanted, taken});
    queued_ += taken.size();
    if (taken.size() == more.size()) return std::nullopt;
    return rows[more[taken.size()].row].id;
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
    queued_ = 0;
    strays_.clear();
    queue_bytes_ = 0;
    position_ = std::max(cursor_, debts_.last_event());
    fetching_ = false;
    ++ask_;
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
    out.queued = queued_;
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
