// Pages for lanes that are behind.

#include <algorithm>

#include "stream/stream_impl.hpp"

namespace sg::stream {

void SideTrouble::failed(const Failure& why, Clock::Time now, Logger& log) {
    until = now + backoff.next();
    if (backoff.failures() < 3 || said) return;
    said = true;
    log.warning(
        "[QUERY-STUCK] Queries {} keep failing while others work; trying again. cause={} status={} error={}",
        what, to_string(why.cause), why.http_status, why.message);
}

void SideTrouble::succeeded(Logger& log) {
    backoff.reset();
    if (!std::exchange(said, false)) return;
    log.info("[QUERY-BACK] Queries {} work again.", what);
}

namespace {

bool meets(const std::vector<Hole>& holes, const std::vector<IdRange>& ranges) {
    return std::any_of(holes.begin(), holes.end(), [&](const Hole& hole) {
        return std::any_of(ranges.begin(), ranges.end(), [&](const IdRange& range) {
            return hole.ids.first <= range.last && range.first <= hole.ids.last;
        });
    });
}

}  // namespace

bool shows(const event::EventPage& page, EventId id) {
    const auto rows = page.rows();
    const auto at =
        std::lower_bound(rows.begin(), rows.end(), id,
                         [](const event::EventRow& row, EventId wanted) { return row.id < wanted; });
    return at != rows.end() && at->id == id;
}

std::optional<event::Stretch> Stream::Impl::at_hand(EventId position) {
    auto found = live_pages_.find(position);
    return found ? found : lane_pages_.find(position);
}

void Stream::Impl::fetch(EventId position, std::function<void(event::Stretch)> ready) {
    if (stopped_) return;
    const auto [at, added] = wishes_.try_emplace(position);
    at->second.ready.push_back(std::move(ready));
    if (!added) return;
    queue_.push_back(position);
    pump_at(clock_.now());
}

void Stream::Impl::pump_at(Clock::Time when) {
    if (!stopped_) pump_timer_ = loop_.at(when, [this] { pump(); });
}

void Stream::Impl::pump() {
    if (!begun_ || outage_.is_out()) return;  // the answer that ends this pumps
    const auto from = std::max(quiet_until_, lane_trouble_.until);
    if (clock_.now() < from) return pump_at(from);
    // Once around: what stays is parked, because the live poll has not come past it yet.
    for (auto left = queue_.size(); left > 0 && !queue_.empty(); --left) {
        const auto position = queue_.front();
        queue_.pop_front();
        if (position >= highest_) {
            queue_.push_back(position);
        } else if (const auto stretch = at_hand(position)) {
            deliver(position, *stretch);
        } else if (is_coming(position)) {
            queue_.push_back(position);
        } else if (in_flight_ < settings_.workers) {
            send(position, wishes_.at(position));
        } else {
            queue_.push_front(position);
            return;
        }
    }
}

/// Whether a page that nobody waits for yet is on its way and should hold what follows `position`.
bool Stream::Impl::is_coming(EventId position) const {
    const auto above = wishes_.upper_bound(position);
    if (above == wishes_.begin()) return false;
    const auto& [after, wish] = *std::prev(above);
    return wish.in_flight && wish.ready.empty() && position < after + span_;
}

/// Behind pages that lanes wait for, those that they will want next, while nobody else needs the queries.
void Stream::Impl::fetch_ahead() {
    if (is_calm() || settings_.catch_up_queries == 1 || span_ == 0) return;
    std::vector<EventId> wanted;
    for (const auto& [position, wish] : wishes_)
        if (wish.in_flight && !wish.ready.empty()) wanted.push_back(position);
    for (auto position : wanted)
        for (std::size_t n = 1; n < settings_.catch_up_queries && position + span_ < highest_; ++n) {
            if (in_flight_ >= settings_.workers) return;
            position += span_;
            if (wishes_.contains(position) || is_coming(position) || at_hand(position)) continue;
            send(position, wishes_[position]);
        }
}

void Stream::Impl::send(EventId position, Wish& wish) {
    wish.in_flight = true;
    wish.limit = highest_;
    wish.late.clear();
    wish.covered.clear();
    ++in_flight_;
    ++counters_.lane_queries;
    EventQuery query;
    query.after = position;
    query.limit = settings_.page_size;
    ask(Fetcher::For::lanes, std::move(query),
        [this, position](Result<Answer> answer) { on_lane_answer(position, std::move(answer)); });
}

void Stream::Impl::deliver(EventId position, const event::Stretch& stretch) {
    const auto ready = std::move(wishes_.at(position).ready);
    wishes_.erase(position);  // first: who is told may wish again
    for (const auto& tell : ready) tell(stretch);
}

void Stream::Impl::on_lane_answer(EventId position, Result<Answer> answer) {
    --in_flight_;
    auto& wish = wishes_.at(position);
    wish.in_flight = false;
    if (answer) {
        note(*answer);
        find_late(answer->page);
    } else {
        note_failure(answer.error());
    }
    const auto stretch =
        answer ? stretch_of(position, wish, *answer)
               : Result<std::optional<event::Stretch>>(tl::unexpected<Failure>(std::move(answer.error())));
    if (!stretch) lane_trouble_.failed(stretch.error(), clock_.now(), log_);
    if (stretch) lane_trouble_.succeeded(log_);
    if (stretch && *stretch) {
        if (is_full(*answer)) learn_span(position, *answer->page);
        note_covered(**stretch);
        divide_room();
        lane_pages_.add(**stretch);
        deliver(position, **stretch);
        pump();
        fetch_ahead();
    } else {
        if (wish.ready.empty())
            wishes_.erase(position);
        else
            queue_.push_front(position);
        pump_at(clock_.now());
    }
}

void Stream::Impl::divide_room() {
    if (lane_pages_.bytes() > 0) lane_pages_.drop_through(sink_.taken_through());
    lane_pages_.limit(settings_.recent_bytes - live_pages_.bytes());
}

/// For the wishes that were asked before this answer came.
void Stream::Impl::note_covered(const event::Stretch& stretch) {
    for (auto& [position, wish] : wishes_) {
        if (!wish.in_flight || position >= stretch.through) continue;
        auto& covered = wish.covered;
        // Pages of one lane follow each other: its whole way is one range.
        const auto before = std::find_if(covered.begin(), covered.end(),
                                         [&](const auto& c) { return c.last == stretch.after; });
        if (before != covered.end())
            before->last = stretch.through;
        else
            covered.push_back({stretch.after + 1, stretch.through});
    }
}

/// What may be handed out of an answer; nullopt: ask again.
Result<std::optional<event::Stretch>> Stream::Impl::stretch_of(EventId position, Wish& wish,
                                                               const Answer& answer) {
    const auto rows = answer.page->rows();
    if (rows.empty() && answer.facts.rows != 0)
        return fail(Cause::bad_answer, "a page after {} held only events that were not asked for", position);
    // An answer is trusted up to its last row only: a site may cut a page shorter than was asked for.
    const auto through = rows.empty() ? wish.limit : std::min(rows.back().id, wish.limit);
    // The event at the limit was seen before. A site that does not show it now answers from behind its
    // own time; after a few tries the event is taken to be gone.
    if (through == wish.limit && !shows(*answer.page, wish.limit) && ++wish.doubts <= 5)
        return fail(Cause::bad_answer, "a page after {} lacks event {} that was there before", position,
                    wish.limit);
    for (const auto id : wish.late)
        if (id > position && id <= through && !shows(*answer.page, id)) return std::nullopt;
    // Above `base_` the live poll has judged every hole already.
    const auto holes = sort_out(holes_of(position, std::min(through, base_), rows));
    // What another page showed meanwhile is no hole, and was handed out: found late, it would be so again.
    // Had that page lacked it as well, the gap would be known; of old holes that cannot be said.
    if (meets(holes.young, wish.covered)) return std::nullopt;
    if (!room_for(holes)) {
        lane_trouble_.until = clock_.now() + settings_.interval;
        return std::nullopt;
    }
    checkpoint::Batch batch;
    open_gaps(holes, batch);
    watch(holes.old, batch);
    if (!batch.empty()) store_.apply(std::move(batch), checkpoint::Urgency::settled);
    if (rows.empty() || rows.back().id <= through) return event::Stretch{position, through, answer.page};
    std::vector<const event::EventRow*> some;
    for (const auto& row : rows)
        if (row.id <= through) some.push_back(&row);
    return event::Stretch{position, through, copy_rows(some)};
}

}  // namespace sg::stream
