// Catching up: while pages are full, those behind the next one are asked for before it has come.
//
// Each is asked for as the live poll asks, `id greater than`, from where the page before it should end: full
// pages of late went through so many ids. An answer is trusted from there to its last row, so pages that
// overlap fit, and where one ends short of the next, what lies between is asked for first.

#include <algorithm>

#include "stream/stream_impl.hpp"

namespace sg::stream {

bool Stream::Impl::is_calm() const { return clock_.now() < std::max(calm_until_, quiet_until_); }

bool Stream::Impl::is_full(const Answer& answer) const {
    return !answer.page->rows().empty() && answer.facts.rows >= static_cast<std::size_t>(settings_.page_size);
}

/// Down at once, for pages that do not meet cost a query each; up slowly, for one page may jump over a hole.
void Stream::Impl::learn_span(EventId after, const event::EventPage& page) {
    const auto span = page.rows().back().id - after;
    const auto most = span_ == 0 ? span : span_ + span_ / 16 + 1;
    span_ = std::clamp<EventId>(span, 1, most);
}

/// After a full page: with one query, or with as many as the site has borne lately.
void Stream::Impl::go_on() {
    if (is_calm() || settings_.catch_up_queries == 1 || span_ == 0) {
        if (ahead_.empty()) schedule_poll(clock_.now());
        return;
    }
    window_ = std::min(window_ + 1, settings_.catch_up_queries);
    while (ahead_.size() < window_) {
        // What was to come next may lie far behind: a page may have gone over a great hole.
        const auto next = ahead_.empty() ? highest_ : std::max(highest_, ahead_.back()->after + span_);
        send_ahead(next, false);
    }
}

void Stream::Impl::send_ahead(EventId after, bool first) {
    const auto piece = std::make_shared<Piece>(Piece{after});
    if (first)
        ahead_.push_front(piece);
    else
        ahead_.push_back(piece);
    last_poll_ = clock_.now();
    ++counters_.polls;
    EventQuery query;
    query.after = after;
    query.limit = settings_.page_size;
    const auto answered = [this, piece](Result<Answer> answer) {
        if (answer)
            note(*answer);
        else if (piece->dropped.stop_requested())
            ++counters_.failures;
        else
            note_failure(answer.error());
        if (piece->dropped.stop_requested()) return;
        piece->answer = std::move(answer);
        take_ahead();
    };
    ask(Fetcher::For::live, std::move(query), answered, piece->dropped.get_token());
}

void Stream::Impl::take_ahead() {
    while (!stopped_ && !ahead_.empty() && ahead_.front()->answer) {
        if (ahead_.front()->after > highest_) return send_ahead(highest_, true);
        const auto piece = ahead_.front();
        ahead_.pop_front();
        if (!take_piece(*piece)) return drop_ahead();
        go_on();
    }
}

/// False: the live poll goes on alone.
bool Stream::Impl::take_piece(const Piece& piece) {
    const auto& answer = *piece.answer;
    if (!answer) {
        on_live_failure(answer.error());
        return false;
    }
    watch_skew();
    outage_.answered(State::catching_up);
    escalation_timer_.reset();
    const bool full = is_full(*answer);
    if (full) learn_span(piece.after, *answer->page);
    const bool taken = take_live(answer->page);
    if (stopped_) return false;
    // Where there may be no more, a poll that is sent now has to say so: this answer may be old.
    if (!taken || !full) schedule_poll(clock_.now() + (taken ? std::chrono::milliseconds(0) : pause()));
    return taken && full;
}

void Stream::Impl::drop_ahead() {
    for (const auto& piece : ahead_) piece->dropped.request_stop();
    ahead_.clear();
}

}  // namespace sg::stream
