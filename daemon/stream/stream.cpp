#include "stream/stream.hpp"

#include <algorithm>
#include <utility>

#include "stream/stream_impl.hpp"

namespace sg::stream {

using namespace std::chrono_literals;

const char* to_string(Absence absence) noexcept {
    switch (absence) {
        case Absence::no:
            break;
        case Absence::awaited:
            return "awaited";
        case Absence::watched:
            return "watched";
    }
    return "no";
}

const char* to_string(State state) noexcept {
    switch (state) {
        case State::waiting:
            return "waiting for site";
        case State::level:
            return "level";
        case State::catching_up:
            return "catching up";
        case State::lost:
            return "site lost";
        case State::down:
            return "site down";
        case State::refused:
            return "site refuses";
        case State::stopped:
            break;
    }
    return "stopped";
}

Stream::Impl::Impl(const Settings& settings, Loop& loop, EventReader& reader, checkpoint::Store& store,
                   event::EventSink& sink, Logger& log, Listener listener)
    : settings_(clamped(settings, log)),
      loop_(loop),
      clock_(loop.clock()),
      reader_(reader),
      store_(store),
      sink_(sink),
      log_(log),
      listener_(std::move(listener)),
      site_(clock_),
      outage_(settings_, clock_, log),
      live_pages_(settings_.recent_bytes - settings_.recent_bytes / 4),
      lane_pages_(settings_.recent_bytes / 4),
      gap_trouble_{"for missing ids", Backoff(settings_.backoff)},
      tail_trouble_{"for ids that were given up", Backoff(settings_.backoff)},
      lane_trouble_{"for plugins that are behind", Backoff(settings_.backoff)},
      newest_trouble_{"for the newest event", Backoff(settings_.backoff)} {
    const auto& stored = store_.snapshot();
    knows_position_ = stored.highest_seen.has_value();
    highest_ = stored.highest_seen.value_or(0);
    gaps_.load(stored.gaps);
    tail_.load(stored.watched);
    want_fields(settings_.fields);
}

void Stream::Impl::start() {
    if (fetcher_ || stopped_) return;
    // Two more than lanes may use: what asks for gaps, and for the newest, does not wait for theirs.
    fetcher_ = std::make_unique<Fetcher>(loop_, reader_, settings_.catch_up_queries, settings_.workers + 2);
    if (settings_.give_up_after) {
        give_up_timer_ = loop_.after(*settings_.give_up_after, [this] {
            if (outage_.has_answered() || !listener_.on_give_up) return;
            const auto& why = outage_.last_error();
            listener_.on_give_up(Failure{Cause::timed_out,
                                         "no answer from the site since the start: " +
                                             (why.empty() ? std::string("the first query still hangs") : why),
                                         0, 0, std::nullopt});
        });
    }
    schedule_poll(clock_.now());
}

void Stream::Impl::stop() {
    stopped_ = true;
    for (auto* timer : {&give_up_timer_, &poll_timer_, &escalation_timer_, &gap_timer_, &tail_timer_,
                        &pump_timer_, &newest_timer_})
        timer->reset();
    if (fetcher_) fetcher_->stop();
}

/// Where people work, one event announces the next; where nobody does, asking often finds nothing.
std::chrono::milliseconds Stream::Impl::pause() const {
    const auto quiet = std::chrono::floor<std::chrono::milliseconds>(clock_.now() - last_event_);
    return std::clamp(quiet / 10, settings_.interval, settings_.idle_interval);
}

void Stream::Impl::schedule_poll(Clock::Time when) {
    if (stopped_) return;
    next_poll_ = std::max(when, quiet_until_);
    poll_timer_ = loop_.at(next_poll_, [this] { poll(); });
}

void Stream::Impl::bring_forward(Clock::Time when) {
    when = std::max(when, clock_.now());
    if (when < next_poll_) schedule_poll(when);
}

void Stream::Impl::poll_now(std::function<void()> answered) {
    if (answered) before_poll_.push_back(std::move(answered));
    if (stopped_ || !fetcher_ || outage_.is_out()) return;
    if (polling_ || !ahead_.empty())
        poll_again_ = true;
    else
        bring_forward(last_poll_ + Settings::interval_floor);
}

void Stream::Impl::retry_now() {
    if (stopped_ || !fetcher_ || polling_ || !ahead_.empty()) return;
    bring_forward(last_poll_ + 1s);
}

void Stream::Impl::poll() {
    if (stopped_ || polling_ || !ahead_.empty()) return;
    polling_ = true;
    last_poll_ = clock_.now();
    std::move(before_poll_.begin(), before_poll_.end(), std::back_inserter(in_poll_));
    before_poll_.clear();
    ++counters_.polls;
    EventQuery query;
    query.kind = knows_position_ ? EventQuery::Kind::after : EventQuery::Kind::newest;
    query.after = highest_;
    query.limit = knows_position_ ? settings_.page_size : 1;
    ask(Fetcher::For::live, std::move(query), [this](Result<Answer> answer) {
        polling_ = false;
        on_live_answer(std::move(answer));
    });
}

void Stream::Impl::note_failure(const Failure& why) {
    ++counters_.failures;
    calm_until_ = clock_.now() + settings_.calm;
    window_ = 1;
    if (why.retry_after)
        quiet_until_ =
            std::max(quiet_until_, clock_.now() + std::min<std::chrono::milliseconds>(*why.retry_after, 1h));
}

void Stream::Impl::note(const Answer& answer) {
    const auto& rows = answer.page->rows();
    ++counters_.answers;
    counters_.repeated += answer.facts.repeated;
    counters_.ignored += answer.facts.ignored;
    counters_.last_answer = clock_.utc();
    site_.sample(answer.date, rows.empty() ? std::chrono::sys_seconds{} : rows.back().created_at);
    if (answer.facts.repeated != 0 || answer.facts.ignored != 0 || answer.facts.reordered)
        log_.debug("[PAGE-ODD] A page was put right. rows={} repeated={} ignored={} reordered={}",
                   answer.facts.rows, answer.facts.repeated, answer.facts.ignored, answer.facts.reordered);
}

void Stream::Impl::watch_skew() {
    const auto skew = site_.skew();
    if (!skew) return;
    const auto size = std::chrono::abs(*skew);
    if (!skewed_ && size > settings_.most_skew) {
        skewed_ = true;
        log_.warning(
            "[CLOCK-SKEW] Our clock and the site's differ; the earlier one decides about missing ids. "
            "skew_s={}",
            skew->count() / 1000);
    } else if (skewed_ && size < settings_.most_skew / 2) {
        skewed_ = false;
        log_.info("[CLOCK-SKEW-OVER] Our clock and the site's agree again. skew_s={}", skew->count() / 1000);
    }
}

void Stream::Impl::on_live_answer(Result<Answer> answer) {
    const auto now = clock_.now();
    if (!answer) {
        note_failure(answer.error());
        return on_live_failure(answer.error());
    }
    note(*answer);
    watch_skew();
    const bool was_out = outage_.is_out();
    const bool full = knows_position_ && is_full(*answer);
    outage_.answered(full ? State::catching_up : State::level);
    escalation_timer_.reset();
    const bool first = !knows_position_;
    if (first) first_contact(*answer->page);
    is_level_ = first;  // else known once the page is taken
    if (!begun_) begin();
    if (full) learn_span(highest_, *answer->page);
    const bool taken = first || take_live(answer->page);
    if (stopped_) return;
    is_level_ = taken && !full;
    if (is_level_ && !first)
        for (const auto& answered : std::exchange(in_poll_, {})) answered();
    ask_for_newest_at(now);
    if (was_out) pump_at(now);
    // After a full page there is more; after the first contact there may be. A page that could not be
    // taken comes again, so it waits like an empty one.
    if (taken && (full || first))
        go_on();
    else
        schedule_poll(poll_again_ ? std::max(now, last_poll_ + Settings::interval_floor) : now + pause());
    poll_again_ = false;
}

void Stream::Impl::on_live_failure(const Failure& why) {
    poll_again_ = false;
    is_level_ = false;
    schedule_poll(clock_.now() + outage_.failed(why));
    arm_escalation();
}

/// An attempt may hang for longer than an outage may last before somebody is told.
void Stream::Impl::arm_escalation() {
    if (const auto due = outage_.escalation_due())
        escalation_timer_ = loop_.at(*due, [this] { outage_.escalate(); });
    else
        escalation_timer_.reset();
}

void Stream::Impl::first_contact(const event::EventPage& page) {
    highest_ = page.rows().empty() ? 0 : page.rows().back().id;
    knows_position_ = true;
    checkpoint::Batch batch;
    batch.set_highest_seen(highest_);
    store_.apply(std::move(batch), checkpoint::Urgency::settled);
}

void Stream::Impl::begin() {
    begun_ = true;
    base_ = highest_;
    last_event_ = clock_.now();
    give_up_timer_.reset();
    gaps_.settle_deadlines(site_.now(), clock_.now(), settings_.gap_timeout);
    tail_.settle_deadlines(site_.now(), clock_.now(), settings_.gap_watch);
    log_.info("[STREAM-BEGINS] Following the site's event log. after={} open_gaps={}", highest_,
              gaps_.size());
    if (listener_.on_begin) listener_.on_begin(highest_);
    arm_gap_timer();
    arm_tail_timer();
    pump_at(clock_.now());
}

/// False: not taken, ask again later.
bool Stream::Impl::take_live(const event::PagePtr& page) {
    find_late(page);
    const auto rows = page->rows();
    if (rows.empty() || rows.back().id <= highest_) return true;
    last_event_ = clock_.now();
    const auto through = rows.back().id;
    const auto holes = sort_out(holes_of(highest_, through, rows));
    if (!room_for(holes)) return false;
    checkpoint::Batch batch;
    open_gaps(holes, batch);
    pass_over(holes.old, batch);
    batch.set_highest_seen(through);
    store_.apply(std::move(batch),
                 holes.young.empty() ? checkpoint::Urgency::lazy : checkpoint::Urgency::settled);
    const event::Stretch stretch{highest_, through, page};
    highest_ = through;
    live_pages_.add(stretch);
    divide_room();
    const auto seen = std::partition_point(
        rows.begin(), rows.end(), [&](const event::EventRow& row) { return row.id <= stretch.after; });
    const auto taken = static_cast<std::size_t>(rows.end() - seen);
    counters_.events += taken;
    log_.debug("[PAGE] Events taken. after={} through={} rows={}", stretch.after, through, taken);
    sink_.on_live(stretch);
    if (!queue_.empty()) pump_at(clock_.now());  // wishes from above the old level
    return true;
}

Absence Stream::Impl::absence(EventId event) const {
    if (gaps_.contains(event)) return Absence::awaited;
    return tail_.contains(event) ? Absence::watched : Absence::no;
}

Status Stream::Impl::status() const {
    Status out = counters_;
    out.state = stopped_ ? State::stopped : outage_.state();
    out.since = outage_.since();
    out.highest = highest_;
    out.open_gaps = gaps_.size();
    out.watched = tail_.size();
    out.skew = site_.skew();
    out.last_error = outage_.last_error();
    return out;
}

Stream::Stream(Settings settings, Loop& loop, EventReader& reader, checkpoint::Store& store,
               event::EventSink& sink, Logger& log, Listener listener)
    : impl_(std::make_unique<Impl>(settings, loop, reader, store, sink, log, std::move(listener))) {}
Stream::~Stream() { stop(); }
void Stream::start() { impl_->start(); }
void Stream::stop() { impl_->stop(); }
void Stream::poll_now() { impl_->poll_now(nullptr); }
void Stream::poll_now(std::function<void()> answered) { impl_->poll_now(std::move(answered)); }
void Stream::retry_now() { impl_->retry_now(); }
void Stream::first_since(std::chrono::system_clock::time_point time,
                         std::function<void(Result<EventId>)> ready) {
    impl_->first_since(time, std::move(ready));
}
Status Stream::status() const { return impl_->status(); }

Absence Stream::absence(EventId event) const { return impl_->absence(event); }
std::optional<event::Stretch> Stream::at_hand(EventId position) { return impl_->at_hand(position); }
void Stream::fetch(EventId position, std::function<void(event::Stretch)> ready) {
    impl_->fetch(position, std::move(ready));
}
EventId Stream::level() const { return impl_->level(); }
void Stream::newest(std::function<void(EventId)> ready) { impl_->newest(std::move(ready)); }
std::optional<EventId> Stream::awaited(EventId position) const { return impl_->awaited(position); }
void Stream::want_fields(const std::vector<std::string>& fields) { impl_->want_fields(fields); }

}  // namespace sg::stream
