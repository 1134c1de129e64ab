// Where plugins begin that start with what is newest.

#include <algorithm>
#include <utility>

#include "stream/stream_impl.hpp"

namespace sg::stream {

void Stream::Impl::newest(std::function<void(EventId)> ready) {
    if (stopped_) return;
    if (is_level_) return ready(highest_);
    newest_wanted_.push_back(std::move(ready));
    // Later: the live answer that is being taken right now may show that we are level.
    ask_for_newest_at(clock_.now());
}

void Stream::Impl::ask_for_newest_at(Clock::Time when) {
    if (!stopped_ && !newest_wanted_.empty()) newest_timer_ = loop_.at(when, [this] { ask_for_newest(); });
}

void Stream::Impl::ask_for_newest() {
    if (newest_wanted_.empty() || asking_newest_) return;
    if (is_level_) return tell_newest(highest_);
    if (!begun_ || outage_.is_out()) return;  // the live answer that ends this asks again
    const auto from = std::max(quiet_until_, newest_trouble_.until);
    if (clock_.now() < from) return ask_for_newest_at(from);
    asking_newest_ = true;
    ++counters_.lane_queries;
    EventQuery query;
    query.kind = EventQuery::Kind::newest;
    query.limit = 1;
    ask(Fetcher::For::lanes, std::move(query),
        [this](Result<Answer> answer) { on_newest_answer(std::move(answer)); });
}

void Stream::Impl::on_newest_answer(Result<Answer> answer) {
    asking_newest_ = false;
    if (!answer) {
        note_failure(answer.error());
        newest_trouble_.failed(answer.error(), clock_.now(), log_);
        return ask_for_newest_at(newest_trouble_.until);
    }
    note(*answer);
    newest_trouble_.succeeded(log_);
    const auto rows = answer->page->rows();
    tell_newest(rows.empty() ? highest_ : std::max(highest_, rows.back().id));
}

void Stream::Impl::first_since(std::chrono::system_clock::time_point time,
                               std::function<void(Result<EventId>)> ready) {
    if (stopped_) return;
    if (!begun_) return ready(fail(Cause::invalid, "the site has not answered yet"));
    EventQuery query;
    query.kind = EventQuery::Kind::since;
    query.since = std::chrono::ceil<std::chrono::seconds>(time);
    query.limit = 1;
    ++counters_.lane_queries;
    ask(Fetcher::For::lanes, std::move(query), [this, ready = std::move(ready)](Result<Answer> answer) {
        if (!answer) {
            note_failure(answer.error());
            return ready(tl::unexpected(answer.error()));
        }
        note(*answer);
        const auto rows = answer->page->rows();
        if (!rows.empty()) return ready(rows.front().id);
        newest([ready](EventId id) { ready(id + 1); });
    });
}

void Stream::Impl::tell_newest(EventId id) {
    newest_timer_.reset();
    for (const auto& tell : std::exchange(newest_wanted_, {})) tell(id);
}

}  // namespace sg::stream
