#include "dispatch/dispatcher.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "dispatch/lane.hpp"
#include "dispatch/shared.hpp"

namespace sg::dispatch {

const char* to_string(LaneState state) noexcept {
    switch (state) {
        case LaneState::waiting_for_start:
            return "waiting for the site";
        case LaneState::waiting_for_plugin:
            return "waiting for the plugin";
        case LaneState::level:
            return "level";
        case LaneState::behind:
            return "behind";
        case LaneState::halted:
            return "halted";
        case LaneState::paused:
            return "paused";
        case LaneState::held:
            return "held";
        case LaneState::unsaved:
            return "unsaved";
        case LaneState::draining:
            break;
    }
    return "draining";
}

class Dispatcher::Impl {
public:
    Impl(Settings settings, Loop& loop, checkpoint::Store& store, Logger& log);

    void begin(event::EventSource& source);
    void want_fields(const plugins::Generation& generation);
    void expect(const std::vector<std::string>& plugins);
    void arrived(const std::string& plugin);
    void live(const event::Stretch& live);
    void late(const event::PagePtr& rows, checkpoint::Batch& batch, event::Late how);
    void drain(Clock::Duration at_most, std::function<void(std::size_t)> done);
    void finish();
    std::size_t retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller);
    std::size_t drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller);

    Lane& lane(const std::string& plugin);
    Lane* known_lane(const std::string& plugin);
    void start(Lane& lane);

    /// After outcomes, before more is handed out.
    void pause_if_unsaved();
    void end_drain_if_over();

    Shared shared_;
    std::map<std::string, std::shared_ptr<Lane>, std::less<>> lanes_;

private:
    void wait_for_next();
    void set_out();
    void pause();
    void look_again(bool durable);
    void resume();
    std::size_t outstanding() const;
    void end_drain();

    std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);  // posts that outlive us find it gone
    std::set<std::string> fields_;                                  // that events have besides the usual ones
    std::set<std::string> awaited_;                                 // neither ready nor refused yet
    Clock::Time gather_end_{};
    Loop::Handle gather_timer_;
    bool pause_told_ = false;
    Loop::Handle pause_timer_;
    std::function<void(std::size_t)> drained_;
    Loop::Handle drain_timer_;
};

Dispatcher::Impl::Impl(Settings settings, Loop& loop, checkpoint::Store& store, Logger& log)
    : shared_(std::move(settings), loop, store, log) {
    const auto& known = store.snapshot();
    for (const auto& [plugin, progress] : known.plugins) lane(plugin).load(progress);
    for (const auto& row : known.pending) lane(row.plugin).load(row, !known.clean);
    for (const auto& [plugin, paused] : known.paused) lane(plugin).load(paused);
}

Lane& Dispatcher::Impl::lane(const std::string& plugin) {
    auto& place = lanes_[plugin];
    if (!place)
        place = std::make_shared<Lane>(plugin, static_cast<std::uint32_t>(lanes_.size() - 1), shared_);
    return *place;
}

Lane* Dispatcher::Impl::known_lane(const std::string& plugin) {
    const auto place = lanes_.find(plugin);
    return place == lanes_.end() ? nullptr : place->second.get();
}

void Dispatcher::Impl::start(Lane& lane) {
    if (lane.has_start() || shared_.source == nullptr) return;
    const auto own = shared_.settings.starts.find(lane.plugin());
    const auto& rule = own == shared_.settings.starts.end() ? shared_.settings.start : own->second;
    switch (rule.kind) {
        case StartRule::Kind::latest:
            return shared_.source->newest([weak = lane.weak_from_this()](EventId newest) {
                const auto waiting = weak.lock();
                if (!waiting || waiting->has_start()) return;
                waiting->start_at(newest);
                waiting->pump();
            });
        case StartRule::Kind::earliest:
            return lane.start_at(0);
        case StartRule::Kind::after_id:
            return lane.start_at(rule.id);
    }
}

void Dispatcher::Impl::want_fields(const plugins::Generation& generation) {
    for (const auto& callback : generation.callbacks())
        fields_.insert(callback.fields.begin(), callback.fields.end());
    if (shared_.source != nullptr && !fields_.empty())
        shared_.source->want_fields({fields_.begin(), fields_.end()});
}

void Dispatcher::Impl::begin(event::EventSource& source) {
    shared_.source = &source;
    if (!fields_.empty()) source.want_fields({fields_.begin(), fields_.end()});
    for (const auto& [plugin, lane] : lanes_) {
        start(*lane);
        lane->begun();
    }
}

void Dispatcher::Impl::expect(const std::vector<std::string>& plugins) {
    awaited_.insert(plugins.begin(), plugins.end());
    if (awaited_.empty()) return;
    shared_.gathering = true;
    gather_end_ = shared_.now() + shared_.settings.gather_most;
    wait_for_next();
}

void Dispatcher::Impl::wait_for_next() {
    const auto until = std::min(shared_.now() + shared_.settings.gather_time, gather_end_);
    gather_timer_ = shared_.loop.at(until, [this] { set_out(); });
}

void Dispatcher::Impl::arrived(const std::string& plugin) {
    if (awaited_.erase(plugin) == 0) return;
    awaited_.empty() ? set_out() : wait_for_next();
}

void Dispatcher::Impl::set_out() {
    awaited_.clear();
    gather_timer_.reset();
    shared_.gathering = false;
    for (const auto& [plugin, lane] : lanes_) lane->pump();
}

void Dispatcher::Impl::live(const event::Stretch& live) {
    for (const auto& [plugin, lane] : lanes_) lane->live(live);
    shared_.queue_of_turns.pump();  // whoever is first may have come later than those behind it
}

void Dispatcher::Impl::late(const event::PagePtr& rows, checkpoint::Batch& batch, event::Late how) {
    for (const auto& row : rows->rows()) {
        const auto kept = event::detach(row);  // one copy for all lanes
        for (const auto& [plugin, lane] : lanes_) lane->late(kept, batch, how);
    }
    // The caller applies the batch before it returns to the loop, so whatever is applied there comes after
    // it: once that is durable, the debts are, and go out.
    shared_.loop.post([alive = std::weak_ptr(alive_)] {
        const auto self = alive.lock();
        if (!self) return;
        const auto ticket = (*self)->shared_.store.apply({}, checkpoint::Urgency::settled);
        for (const auto& [plugin, lane] : (*self)->lanes_) {
            lane->free_when_saved(ticket);
            lane->pump();  // one that waited for what was missing goes on
        }
    });
}

// What was given up.

std::size_t Dispatcher::Impl::retry_letters(const checkpoint::LetterChoice& choice,
                                            const std::string& caller) {
    const auto letters = shared_.dead_letters.take(choice);
    if (letters.empty()) return 0;
    checkpoint::Batch batch;
    for (const auto& letter : letters) {
        lane(letter->plugin).retry_letter(*letter, batch);
        shared_.log.info(
            "[DEAD-LETTER-RETRIED] The event is handed out again. plugin={} callback={} event={} by=[{}]",
            letter->plugin, letter->callback, letter->event, caller);
    }
    const auto ticket = shared_.store.apply(std::move(batch), checkpoint::Urgency::settled);
    for (const auto& [plugin, lane] : lanes_) lane->free_when_saved(ticket);
    return letters.size();
}

std::size_t Dispatcher::Impl::drop_letters(const checkpoint::LetterChoice& choice,
                                           const std::string& caller) {
    const auto letters = shared_.dead_letters.take(choice);
    checkpoint::Batch batch;
    for (const auto& letter : letters) {
        batch.erase_dead_letter(letter->plugin, letter->event, letter->callback);
        shared_.log.info("[DEAD-LETTER-DROPPED] The event is gone. plugin={} callback={} event={} by=[{}]",
                         letter->plugin, letter->callback, letter->event, caller);
    }
    shared_.store.apply(std::move(batch), checkpoint::Urgency::settled);
    return letters.size();
}

// Too much unsaved.

void Dispatcher::Impl::pause_if_unsaved() {
    if (!shared_.paused && shared_.meter.unsaved() >= shared_.settings.unsaved) pause();
}

void Dispatcher::Impl::end_drain_if_over() {
    if (drained_ && outstanding() == 0) end_drain();
}

void Dispatcher::Impl::pause() {
    shared_.paused = true;
    look_again(true);
}

void Dispatcher::Impl::look_again(bool durable) {
    if (!shared_.paused) return;
    const auto unsaved = shared_.meter.unsaved();
    if (unsaved < shared_.settings.unsaved / 2 + 1) return resume();
    if (durable) {
        // An empty batch has a place in the queue like any other: once it is durable, so is all before it.
        const auto ticket = shared_.store.apply({}, checkpoint::Urgency::settled);
        return shared_.store.when_saved(ticket,
                                        [&loop = shared_.loop, alive = std::weak_ptr(alive_)](bool saved) {
                                            loop.post([alive, saved] {
                                                if (const auto self = alive.lock())
                                                    (*self)->look_again(saved);
                                            });
                                        });
    }
    if (!pause_told_)
        shared_.log.error(
            "[STATE-BEHIND] Too many outcomes are not saved; no more events are handed out until they "
            "are. unsaved={}",
            unsaved);
    pause_told_ = true;
    pause_timer_ = shared_.loop.after(std::chrono::milliseconds(100), [this] { look_again(false); });
}

void Dispatcher::Impl::resume() {
    shared_.paused = false;
    if (pause_told_) shared_.log.info("[STATE-CAUGHT-UP] Outcomes are saved again; events are handed out.");
    pause_told_ = false;
    for (const auto& [plugin, lane] : lanes_) lane->pump();
}

// The end.

std::size_t Dispatcher::Impl::outstanding() const {
    std::size_t sum = 0;
    for (const auto& [plugin, lane] : lanes_) sum += lane->outstanding();
    return sum;
}

void Dispatcher::Impl::drain(Clock::Duration at_most, std::function<void(std::size_t)> done) {
    shared_.draining = true;
    drained_ = std::move(done);
    drain_timer_ = shared_.loop.after(at_most, [this] { end_drain(); });
    for (const auto& [plugin, lane] : lanes_) lane->pump();
    // Posted, so that the caller has returned from here before it is called back.
    shared_.loop.post([alive = std::weak_ptr(alive_)] {
        if (const auto self = alive.lock()) (*self)->end_drain_if_over();
    });
}

void Dispatcher::Impl::end_drain() {
    const auto done = std::exchange(drained_, nullptr);
    drain_timer_.reset();
    if (done) done(outstanding());
}

void Dispatcher::Impl::finish() {
    shared_.draining = true;
    checkpoint::Batch batch;
    for (const auto& [plugin, lane] : lanes_) lane->finish(batch);
    shared_.store.apply(std::move(batch), checkpoint::Urgency::settled);
}

// The public face.

Dispatcher::Dispatcher(Settings settings, Loop& loop, checkpoint::Store& store, Logger& log)
    : impl_(std::make_unique<Impl>(std::move(settings), loop, store, log)) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::configure(const Settings& settings) {
    auto& mine = impl_->shared_.settings;
    mine.start = settings.start;
    mine.starts = settings.starts;
    mine.retry = settings.retry;
    mine.failure = settings.failure;
    mine.failures = settings.failures;
}

void Dispatcher::begin(event::EventSource& source) { impl_->begin(source); }
void Dispatcher::expect(const std::vector<std::string>& plugins) { impl_->expect(plugins); }
void Dispatcher::on_live(const event::Stretch& live) { impl_->live(live); }
void Dispatcher::on_late(const event::PagePtr& rows, checkpoint::Batch& batch, event::Late how) {
    impl_->late(rows, batch, how);
}

void Dispatcher::on_given_up() {
    for (const auto& [plugin, lane] : impl_->lanes_) lane->pump();
}

void Dispatcher::on_ready(std::shared_ptr<plugins::Generation> generation) {
    Lane& lane = impl_->lane(generation->plugin());
    impl_->want_fields(*generation);
    impl_->start(lane);
    const auto plugin = generation->plugin();
    lane.ready(std::move(generation));
    impl_->arrived(plugin);
}

void Dispatcher::on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) {
    if (auto* lane = impl_->known_lane(generation.plugin())) {
        lane->outcomes(generation, std::move(outcomes));
        impl_->pause_if_unsaved();
        lane->pump();
    }
    impl_->end_drain_if_over();
}

void Dispatcher::on_end(plugins::Generation& generation, const plugins::HostEnd& end) {
    if (auto* lane = impl_->known_lane(generation.plugin())) lane->ended(generation, end);
    impl_->pause_if_unsaved();
    impl_->end_drain_if_over();
}

void Dispatcher::on_refused(const std::string& plugin, const Failure& why, bool will_retry) {
    if (auto* lane = impl_->known_lane(plugin)) lane->refused(why, will_retry);
    impl_->arrived(plugin);
}

void Dispatcher::drain(Clock::Duration at_most, std::function<void(std::size_t left)> done) {
    impl_->drain(at_most, std::move(done));
}

void Dispatcher::finish() { impl_->finish(); }

std::vector<LaneStatus> Dispatcher::status() const {
    std::vector<LaneStatus> out;
    for (const auto& [plugin, lane] : impl_->lanes_) out.push_back(lane->status());
    return out;
}

std::vector<OwedCall> Dispatcher::owed(const std::string& plugin, EventId event) const {
    auto* lane = impl_->known_lane(plugin);
    return lane == nullptr ? std::vector<OwedCall>() : lane->owed(event);
}

EventId Dispatcher::taken_through() const {
    auto through = std::numeric_limits<EventId>::max();
    for (const auto& [plugin, lane] : impl_->lanes_) through = std::min(through, lane->taken_through());
    return through;
}

EventId Dispatcher::done_through() const {
    auto through = std::numeric_limits<EventId>::max();
    for (const auto& [plugin, lane] : impl_->lanes_) through = std::min(through, lane->done_through());
    return through;
}

void Dispatcher::count_interrupted(std::vector<plugins::Interrupted> calls) {
    for (auto& call : calls) {
        if (auto* lane = impl_->known_lane(call.plugin))
            lane->suspect(std::move(call));
        else
            call.settle();
    }
}

void Dispatcher::on_ended_call(std::function<void(const EndedCall&)> told) {
    impl_->shared_.on_ended = std::move(told);
}

std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> Dispatcher::dead_letters() const {
    return impl_->shared_.dead_letters.all();
}

std::size_t Dispatcher::retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller) {
    return impl_->retry_letters(choice, caller);
}

std::size_t Dispatcher::drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller) {
    return impl_->drop_letters(choice, caller);
}

void Dispatcher::steer(const Steering& what, SteeringDone done) {
    impl_->lane(what.plugin).steer(what, std::move(done));
}

}  // namespace sg::dispatch
