// Missing ids that were given up: looked for a while longer, seldom.

#include <algorithm>

#include "stream/stream_impl.hpp"

namespace sg::stream {

/// `since`: when their rows should have come.
void Stream::Impl::watch(IdRange ids, checkpoint::Instant since, checkpoint::Batch& batch) {
    const auto now = site_.now();
    const checkpoint::Instant deadline = since + settings_.gap_watch;
    if (deadline <= now) return;
    const auto left = std::chrono::duration_cast<Clock::Duration>(deadline - now);
    tail_.open(ids, deadline, clock_.now() + left, batch);
    const bool full = tail_.size() > settings_.most_watched;
    if (full) tail_.forget_lowest(batch);
    if (full && !tail_full_)
        log_.warning(
            "[WATCH-FULL] Too many ids were given up; the lowest are no longer looked for. ranges={}",
            tail_.size());
    tail_full_ = full;
    arm_tail_timer();
}

void Stream::Impl::watch(const std::vector<Hole>& holes, checkpoint::Batch& batch) {
    for (const auto& hole : holes)
        watch(hole.ids, std::chrono::time_point_cast<std::chrono::milliseconds>(hole.next_created), batch);
}

void Stream::Impl::arm_tail_timer() {
    if (stopped_ || !begun_ || asking_tail_ || tail_timer_ || tail_.size() == 0) return;
    const auto when = std::max({clock_.now() + settings_.watch_interval, quiet_until_, tail_trouble_.until});
    tail_timer_ = loop_.at(when, [this] {
        tail_timer_.reset();
        tail_left_ = settings_.gap_queries;
        ask_for_tail();
    });
}

/// From where the last round ended, and below again after the end.
void Stream::Impl::ask_for_tail() {
    const auto ranges = tail_.some(next_tail_, settings_.ranges_per_query);
    if (ranges.empty()) next_tail_ = 0;
    if (ranges.empty() || tail_left_ == 0 || !is_level_) return arm_tail_timer();
    --tail_left_;
    asking_tail_ = true;
    ++counters_.gap_queries;
    EventQuery query;
    query.kind = EventQuery::Kind::within;
    query.ranges = ranges;
    query.limit = settings_.page_size;
    ask(Fetcher::For::gaps, std::move(query), [this, ranges, asked = clock_.now()](Result<Answer> answer) {
        asking_tail_ = false;
        on_tail_answer(ranges, asked, std::move(answer));
    });
}

void Stream::Impl::on_tail_answer(const std::vector<IdRange>& asked_for, Clock::Time asked,
                                  Result<Answer> answer) {
    if (answer && answer->page->rows().empty() && answer->facts.rows != 0)
        answer = fail(Cause::bad_answer, "a query for ids that were given up was answered with others");
    if (!answer) {
        note_failure(answer.error());
        tail_trouble_.failed(answer.error(), clock_.now(), log_);
        return arm_tail_timer();
    }
    tail_trouble_.succeeded(log_);
    note(*answer);
    find_late(answer->page);
    const auto through = through_of(asked_for, *answer->page);
    checkpoint::Batch batch;
    tail_.close(covered_by(asked_for, through), asked, batch);
    if (!batch.empty()) store_.apply(std::move(batch), checkpoint::Urgency::lazy);
    next_tail_ = through + 1;
    ask_for_tail();
}

}  // namespace sg::stream
