#include "host/run/host_run.hpp"

#include <sg/abi.hpp>

#include <algorithm>
#include <utility>

#include "event/row_event.hpp"
#include "host/run/registrar.hpp"
#include "util/thread.hpp"

namespace sg::host {

HostRun::HostRun(HostChannel& channel, RunPage& page, std::function<void()> on_link_lost)
    : channel_(channel),
      page_(page),
      on_link_lost_(std::move(on_link_lost)),
      state_(channel),
      outbox_(channel, on_link_lost_) {}

void HostRun::run() {
    if (!receive_settings()) return;
    channel_.send(Hello{SG_ABI_TEXT});
    link_thread_ = start_thread("sg-link", [this](std::stop_token stop) {
        const std::stop_callback wake(stop, [this] { channel_.wake(); });
        while (state_.turn.wait(stop) && !has_ended_) {
            outbox_.tick();  // what came before a call that runs long has waited for a moment already
            while (!stop.stop_requested() && follow_link() && state_.turn.goes_on()) {
            }
        }
        state_.turn.leave();
    });
    if (load()) run_deliveries();
    state_.turn.hand_over();  // what is still asked is answered
    state_.retriever.end();
    state_.tasks.end();
    link_thread_ = {};  // stopped and joined: from here on nobody looks at the plugin
    callbacks_.clear();
}

/// Before any other thread exists: the daemon sets the limits of this process until then.
bool HostRun::receive_settings() {
    auto received = channel_.receive(std::nullopt);
    auto* configure = received.message ? std::get_if<Configure>(&*received.message) : nullptr;
    if (configure == nullptr) {
        on_link_lost_();
        return false;
    }
    state_.settings = std::move(*configure);
    state_.args = nlohmann::json::parse(state_.settings.args, nullptr, false);
    if (state_.args.is_discarded()) state_.args = nullptr;
    state_.log.set_level(state_.settings.level);
    state_.site_calls.set_at_once(state_.settings.requests_at_once);
    return true;
}

/// Takes what comes next, on the thread whose turn it is; false when the link has ended.
bool HostRun::follow_link() {
    auto at_most = std::optional<std::chrono::milliseconds>(Outbox::patience);
    if (!outbox_.is_watched()) at_most.reset();
    auto received = channel_.receive(at_most);
    if (received.ended) {
        end_link();
        return false;
    }
    if (received.message)
        take(std::move(*received.message));
    else
        outbox_.tick();
    return true;
}

void HostRun::take(ToHost message) {
    if (auto* deliver = std::get_if<Deliver>(&message)) {
        outbox_.expect();
        std::lock_guard lock(mutex_);
        queue_.push_back(std::move(*deliver));
    } else if (auto* answer = std::get_if<Answer>(&message)) {
        state_.site_calls.answer(std::move(*answer));
    } else if (const auto* progress = std::get_if<Progress>(&message)) {
        state_.site_calls.progress(*progress);
    } else if (auto* data = std::get_if<DataAnswer>(&message)) {
        state_.retriever.answer(std::move(*data));
    } else if (const auto* cleared = std::get_if<DataCleared>(&message)) {
        state_.retriever.cleared(*cleared);
    } else if (const auto* level = std::get_if<SetLevel>(&message)) {
        state_.log.set_level(level->level);
    } else if (const auto* call = std::get_if<StopCall>(&message)) {
        std::optional<std::stop_source> stop;
        std::shared_ptr<Crew> crew;
        {
            std::lock_guard lock(mutex_);
            crew = crew_;
            // Taken away: a call that begins before this one is asked to stop must not be asked.
            if (!crew && call->sequence == sequence_) {
                stop = std::exchange(stop_, std::stop_source());
                stop_is_new_ = true;
            }
        }
        if (crew) crew->stop_call(call->sequence);
        if (stop) stop->request_stop();  // runs what the plugin hung on it: no lock is held
    } else {
        std::stop_source stop(std::nostopstate);
        std::shared_ptr<Crew> crew;
        {
            std::lock_guard lock(mutex_);
            crew = crew_;
            draining_ = true;
            stopping_ = stopping_ || std::holds_alternative<Stop>(message);
            stop = stop_;
        }
        if (std::holds_alternative<Stop>(message)) stop.request_stop();
        if (crew) std::holds_alternative<Stop>(message) ? crew->stop() : crew->drain();
    }
}

void HostRun::end_link() {
    has_ended_ = true;
    on_link_lost_();
    state_.site_calls.close();
    state_.retriever.close();
    take(Stop{});
}

bool HostRun::load() {
    auto loaded = Library::load(state_.settings.library);
    if (!loaded) {
        channel_.send(RegistrationFailed{loaded.error().cause, loaded.error().message});
        return false;
    }
    library_ = std::move(*loaded);
    if (auto registered = register_plugin(); !registered) {
        callbacks_.clear();
        channel_.send(RegistrationFailed{registered.error().cause, registered.error().message});
        return false;
    }
    return true;
}

/// The door of the registration: what it throws refuses the plugin.
Result<void> HostRun::register_plugin() {
    HostRegistrar registrar(state_, stop_.get_token());
    std::optional<Reason> reason;
    try {
        library_->enter(registrar);
    } catch (...) {
        reason = current_reason();
    }
    if (reason) return fail(reason->cause, "the registration failed: {}", reason->text);
    callbacks_ = registrar.take_callbacks();
    Registered message;
    for (const auto& callback : callbacks_) message.callbacks.push_back(callback.info);
    message.alerts = registrar.alerts().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    message.log_level = registrar.log_level();
    channel_.send(std::move(message));
    return {};
}

/// Events go to a crew. It is there before the first event and until nothing runs any more.
void HostRun::run_overlapping() {
    const auto crew = std::make_shared<Crew>(state_, page_, outbox_, callbacks_);
    {
        std::lock_guard lock(mutex_);
        crew_ = crew;
    }
    for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) crew->add(expand(std::move(batch)));
    bool is_stopping = false;
    {
        std::lock_guard lock(mutex_);
        is_stopping = stopping_;  // it may have been said before there was a crew
    }
    is_stopping ? crew->stop() : crew->drain();
    crew->finish();
    {
        std::lock_guard lock(mutex_);
        crew_.reset();
    }
    outbox_.flush();
}

void HostRun::run_deliveries() {
    if (std::any_of(callbacks_.begin(), callbacks_.end(),
                    [](const auto& callback) { return callback.info.concurrency > 1; }))
        return run_overlapping();
    for (bool goes_on = true; goes_on;) {
        const auto batch = next_batch();
        goes_on = !batch.empty();
        now_ = std::chrono::steady_clock::now();
        auto left = batch.batch.size();
        for (const auto& run : batch.runs) left += run.rows.size();
        visit_each(batch,
                   [&](const Delivery& delivery) { return goes_on = run_event(delivery, --left == 0); });
    }
    outbox_.flush();
}

/// Waits for events, and reads the link meanwhile; none when the host is told to end.
Deliver HostRun::next_batch() {
    const auto taken = [this]() -> std::optional<Deliver> {
        std::lock_guard lock(mutex_);
        Deliver batch;
        if (draining_) return batch;
        if (queue_.empty()) return std::nullopt;
        batch = std::move(queue_.front());
        queue_.pop_front();
        return batch;
    };
    if (auto batch = taken()) return std::move(*batch);
    outbox_.rest();
    state_.turn.begin_idle();
    std::optional<Deliver> batch;
    while (!(batch = taken())) follow_link();
    state_.turn.end_idle();
    return std::move(*batch);
}

/// False when no other event may begin.
bool HostRun::run_event(const Delivery& delivery, bool ends_batch) {
    const event::RowEvent event(delivery.event.row());
    bool begins_event = true;
    for (std::size_t i = 0; i < delivery.callbacks.size(); ++i) {
        const auto index = delivery.callbacks[i];
        if (index >= callbacks_.size()) continue;  // the daemon knows how many there are
        RunPage::Call call{0, event.id(), index};
        if (!begin_call(call, std::exchange(begins_event, false))) return false;
        page_.begin(call);
        // One call begins where the one before ended: reading the clock is not free.
        auto outcome = Call(state_, callbacks_[index], index, delivery, event, token_, now_).run(event);
        now_ += outcome.duration;
        page_.end(outcome);
        const bool is_idle = ends_batch && is_last_ && i + 1 == delivery.callbacks.size();
        const bool sent = outbox_.add(call.sequence, std::move(outcome),
                                      is_idle ? Outbox::Flush::now : Outbox::Flush::later);
        if (sent) now_ = std::chrono::steady_clock::now();  // it may have waited for the daemon
    }
    return true;
}

/// Numbers the call and has a stop token for it that was not used yet; false when no call may begin.
/// While the host drains, the event that was begun is still finished.
bool HostRun::begin_call(RunPage::Call& call, bool begins_event) {
    std::lock_guard lock(mutex_);
    if (stopping_ || (draining_ && begins_event)) return false;
    call.sequence = ++sequence_;
    if (std::exchange(stop_is_new_, false)) token_ = stop_.get_token();
    is_last_ = queue_.empty();
    return true;
}

}  // namespace sg::host
