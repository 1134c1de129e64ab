// What people tell a lane to do.
#include <algorithm>
#include <utility>

#include "dispatch/lane.hpp"

namespace sg::dispatch {

void Lane::load(const checkpoint::Paused& paused) {
    paused_ = paused;
    note_state();
}

void Lane::steer(const Steering& what, SteeringDone done) {
    switch (what.act) {
        case Steering::Act::pause:
            return pause(what.caller, std::move(done));
        case Steering::Act::resume:
            return resume(what.caller, std::move(done));
        case Steering::Act::seek:
            return begin_seek(what, std::move(done));
        case Steering::Act::skip:
            if (!debts_.first_stop()) return done(fail(Cause::invalid, "{} stands at no event", plugin_));
            return when_idle(
                [this, caller = what.caller, done = std::move(done)] { skip_now(caller, done); });
        case Steering::Act::retry:
            return retry_now(what.caller, done);
    }
}

/// Nothing changes that a restart would not bring as well, so there is nothing to store.
void Lane::retry_now(const std::string& caller, const SteeringDone& done) {
    const auto count = debts_.hurry(shared_.now());
    if (count == 0) return done(fail(Cause::invalid, "{} waits for no next try", plugin_));
    shared_.log.info("[RETRY-NOW] What a plugin failed on is tried again at once. plugin={} calls={} by=[{}]",
                     plugin_, count, caller);
    pump();
    done(Steered{fmt::format("{} tries {} call{} again", plugin_, count, count == 1 ? "" : "s")});
}

void Lane::pause(const std::string& caller, SteeringDone done) {
    if (!paused_) {
        paused_ = checkpoint::Paused{shared_.utc(), caller};
        shared_.log.info("[PLUGIN-PAUSED] Plugin gets no events until it is resumed. plugin={} by=[{}]",
                         plugin_, caller);
    }
    retry_.reset();
    checkpoint::Batch batch;
    batch.set_paused(plugin_, paused_);
    apply_steering(std::move(batch), {plugin_ + " is paused"}, std::move(done));
    pump();
}

void Lane::resume(const std::string& caller, SteeringDone done) {
    if (paused_)
        shared_.log.info("[PLUGIN-RESUMED] Plugin gets events again. plugin={} after={} by=[{}]", plugin_,
                         lowest_settled(), caller);
    paused_.reset();
    checkpoint::Batch batch;
    batch.set_paused(plugin_, std::nullopt);
    apply_steering(std::move(batch), {plugin_ + " goes on"}, std::move(done));
    pump();
}

/// Nobody may be sent beyond what there is: a mistyped id would make the plugin miss all until then.
void Lane::begin_seek(const Steering& what, SteeringDone done) {
    if (shared_.source == nullptr) return done(fail(Cause::invalid, "the site has not answered yet"));
    shared_.source->newest([weak = weak_from_this(), what, done = std::move(done)](EventId newest) {
        const auto lane = weak.lock();
        if (!lane) return;
        const auto next = what.next.value_or(newest + 1);
        if (next > newest + 1)
            return done(fail(Cause::invalid, "there is no event {} yet; the newest one is {}", next, newest));
        lane->when_idle([self = lane.get(), next, what, done] { self->seek_now(next, what.caller, done); });
    });
}

/// What is in hand ends first: an outcome must find the event it is of.
void Lane::when_idle(std::function<void()> act) {
    wishes_.push_back(std::move(act));
    pump();
}

void Lane::fulfil_wishes() {
    for (const auto& act : std::exchange(wishes_, {})) act();
}

void Lane::seek_now(EventId next, const std::string& caller, const SteeringDone& done) {
    const auto to = std::max<EventId>(next, 1) - 1;
    Steered said{fmt::format("{} goes on with event {}", plugin_, to + 1), to + 1};
    if (!has_start_) start_at(to);
    checkpoint::Batch batch;
    move_cursor(batch);
    const auto before = cursor_;
    const auto handed_out = std::max(before, debts_.last_event());
    // Above both places events are met anew, and what was owed of them with them.
    for (auto* debt : debts_.above(std::min(before, to))) settle(*debt, batch);
    start_ = std::min(start_, to);
    perhaps_handed_out_ = std::max(perhaps_handed_out_, handed_out);
    cursor_ = to;
    reserved_ = std::max({reserved_, cursor_, handed_out});
    forget_queue();
    batch.set_progress(plugin_, progress());
    if (to > before) {
        said.first = before + 1;
        said.last = to;
        said.text += fmt::format("; {} to {} are passed over", said.first, said.last);
    } else if (to < handed_out) {
        said.again_first = to + 1;
        said.again_last = handed_out;
        said.text += fmt::format("; {} to {} come again", said.again_first, said.again_last);
    }
    shared_.log.info(
        "[LANE-SEEK] Plugin was sent to another place. plugin={} next={} skipped=[{}] again=[{}] by=[{}]",
        plugin_, said.next, said.first == 0 ? "" : fmt::format("{}-{}", said.first, said.last),
        said.again_first == 0 ? "" : fmt::format("{}-{}", said.again_first, said.again_last), caller);
    apply_steering(std::move(batch), std::move(said), done);
    tell_if_goes_on();
}

void Lane::skip_now(const std::string& caller, const SteeringDone& done) {
    const auto event = debts_.first_stop();
    if (!event) return done(fail(Cause::invalid, "{} stands at no event any more", plugin_));
    checkpoint::Batch batch;
    for (auto* debt : debts_.above(*event - 1)) {
        if (debt->event.id() != *event || !debt->stops) continue;
        ++skipped_;
        shared_.log.info(
            "[EVENT-SKIPPED] A plugin that stood at an event lets it go. plugin={} callback={} event={} "
            "by=[{}]",
            plugin_, debt->callback, *event, caller);
        settle(*debt, batch);
    }
    move_cursor(batch);
    Steered said{fmt::format("{} lets event {} go", plugin_, *event)};
    said.first = said.last = *event;
    apply_steering(std::move(batch), std::move(said), done);
    tell_if_goes_on();
}

void Lane::apply_steering(checkpoint::Batch batch, Steered said, SteeringDone done) {
    const auto ticket = shared_.store.apply(std::move(batch), checkpoint::Urgency::settled);
    free_when_saved(ticket);
    shared_.store.when_saved(
        ticket, [&loop = shared_.loop, said = std::move(said), done = std::move(done)](bool durable) {
            loop.post([said, done, durable] {
                if (durable) return done(said);
                done(fail(Cause::internal, "{}, but the disk refuses to keep that for now", said.text));
            });
        });
}

}  // namespace sg::dispatch
