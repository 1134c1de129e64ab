#include "plugins/live_generation.hpp"

#include <algorithm>
#include <sg/abi.hpp>

namespace sg::plugins {
namespace {

// Cancelled requests that the site client may still be busy with, per host.
constexpr std::size_t most_unfinished = 1000;

LogLevel lowest_level(const Logger& log) {
    auto level = LogLevel::error;
    while (level != LogLevel::trace && log.enabled(static_cast<LogLevel>(static_cast<int>(level) - 1)))
        level = static_cast<LogLevel>(static_cast<int>(level) - 1);
    return level;
}

}  // namespace

std::string readable(std::chrono::milliseconds time) {
    using namespace std::chrono;
    if (time >= 2min && time % 1min == 0min) return fmt::format("{} min", time / 1min);
    if (time % 1s == 0s) return fmt::format("{} s", time / 1s);
    return fmt::format("{} ms", time.count());
}

LiveGeneration::LiveGeneration(Loop& loop, Plan plan, std::unique_ptr<HostBody> body)
    : loop_(loop), plan_(std::move(plan)), body_(std::move(body)) {}

LiveGeneration::~LiveGeneration() { detach(); }

void LiveGeneration::open(Handlers handlers) {
    handlers_ = std::move(handlers);
    host::Configure configure;
    configure.plugin = plan_.plugin;
    configure.library = plan_.build->copy().string();
    configure.args = plan_.settings->args.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    configure.site = plan_.options->site;
    // The log may stand at what an earlier build chose for itself.
    configure.level = plan_.settings->log_level.value_or(lowest_level(*plan_.log));
    configure.dry_run = plan_.options->dry_run;
    configure.hard_deadline = plan_.settings->hard_deadline;
    configure.requests_at_once = static_cast<std::uint32_t>(plan_.options->requests_at_once);
    body_->on_end([this](HostBody::End end) { on_body_ended(std::move(end)); });
    body_->channel().open({[this](host::FromHost message) { on_message(std::move(message)); },
                           [this](std::optional<Failure> why) { on_channel_ended(std::move(why)); }});
    body_->channel().send(std::move(configure));
    end_timer_ = loop_.after(plan_.options->registration_deadline, [this] { on_registration_late(); });
}

void LiveGeneration::deliver(Deliver batch) {
    if (!body_ || draining_) return;
    expected_.add(batch);
    body_->channel().send(std::move(batch));
    if (!call_timer_) watch_calls();
}

void LiveGeneration::on_message(host::FromHost message) {
    if (!greeted_ && !std::holds_alternative<host::Hello>(message))
        return reject("it spoke before its greeting");
    if (auto* hello = std::get_if<host::Hello>(&message)) {
        on_hello(*hello);
    } else if (auto* registered = std::get_if<host::Registered>(&message)) {
        on_registered(std::move(*registered));
    } else if (auto* failed = std::get_if<host::RegistrationFailed>(&message)) {
        if (registered_) return reject("it refused a registration that it had made");
        refused_ = Failure{failed->cause, std::move(failed->message), 0, 0, {}};
    } else if (auto* outcomes = std::get_if<host::Outcomes>(&message)) {
        on_outcomes(std::move(*outcomes));
    } else if (auto* request = std::get_if<host::Request>(&message)) {
        on_request(std::move(*request));
    } else if (const auto* cancel = std::get_if<host::CancelRequest>(&message)) {
        if (auto found = requests_.extract(cancel->id)) found.mapped().request_stop();
    } else if (auto* ask = std::get_if<host::AskData>(&message)) {
        on_ask_data(std::move(*ask));
    } else if (const auto* stop = std::get_if<host::StopData>(&message)) {
        on_stop_data(stop->id);
    } else if (const auto* clear = std::get_if<host::ClearData>(&message)) {
        on_clear_data(clear->clearing);
    } else if (const auto* line = std::get_if<host::LogLine>(&message)) {
        on_log(*line);
    } else if (const auto* dropped = std::get_if<host::LogDropped>(&message)) {
        plan_.log->warning(
            "[LOG-DROPPED] The plugin logs faster than it is read; lines were dropped. lines={}",
            dropped->lines);
    }
}

void LiveGeneration::on_hello(const host::Hello& hello) {
    if (greeted_) return reject("it greeted twice");
    greeted_ = true;
    if (hello.abi == SG_ABI_TEXT) return;
    reject(fmt::format("the host program is of another build: it has [{}], the daemon has [{}]",
                       hello.abi.substr(0, 300), SG_ABI_TEXT));
}

bool LiveGeneration::is_next(const Outcome& outcome) {
    if (!expected_.take({outcome.event, outcome.callback})) return false;
    ++received_;
    return true;
}

void LiveGeneration::on_outcomes(host::Outcomes outcomes) {
    if (!registered_ || outcomes.first != received_ + 1)
        return reject("it reported outcomes out of their order");
    for (const auto& outcome : outcomes.list)
        if (!is_next(outcome)) return reject("it reported the outcome of a call that nobody asked for");
    if (stuck_ && !expected_.empty()) stuck_ = runs_still(is_slow);
    if (expected_.empty()) {
        call_timer_.reset();
        if (forced_.empty()) deadline_timer_.reset();
        stuck_ = false;
    }
    if (!outcomes.list.empty()) handlers_.outcomes(std::move(outcomes.list));
}

void LiveGeneration::on_request(host::Request request) {
    if (request.callback && *request.callback >= callbacks_.size())
        return reject("it named a callback that it does not have");
    if (requests_.size() >= plan_.options->requests_at_once || unfinished_ >= most_unfinished)
        return reject("it made more requests at once than it may");
    const auto [place, is_new] = requests_.try_emplace(request.id);
    if (!is_new) return reject("it used the number of a request twice");
    host::SiteRequest site;
    site.plugin = plan_.plugin;
    if (request.callback) site.callback = callbacks_[*request.callback].name;
    site.credential = credential_of(request.callback);
    site.method = std::move(request.method);
    site.arguments = std::move(request.arguments);
    site.session_uuid = std::move(request.session_uuid);
    site.event = request.event;
    if (request.progress)
        site.progress = [this, id = request.id, &loop = loop_, alive = std::weak_ptr<int>(alive_)](
                            std::uint64_t done, std::optional<std::uint64_t> total) {
            loop.post([this, id, alive, done, total] {
                if (!alive.expired() && requests_.contains(id) && body_)
                    body_->channel().send(host::Progress{id, done, total});
            });
        };
    ++unfinished_;
    plan_.requests->start(
        std::move(site), place->second.get_token(),
        [this, id = request.id, &loop = loop_, alive = std::weak_ptr<int>(alive_)](host::SiteAnswer answer) {
            loop.post([this, id, alive, answer = std::move(answer)]() mutable {
                if (alive.expired()) return;
                --unfinished_;
                if (requests_.erase(id) > 0 && body_)
                    body_->channel().send(host::Answer{id, std::move(answer)});
            });
        });
}

void LiveGeneration::on_log(const host::LogLine& line) {
    if (!plan_.log->enabled(line.level)) return;
    std::string text = line.text;
    if (line.callback && *line.callback < callbacks_.size())
        text += fmt::format(" callback={} event={}", callbacks_[*line.callback].name, line.event);
    plan_.log->write(line.level, text);
}

/// Ends a host that does not keep to the link.
void LiveGeneration::reject(std::string what) {
    if (!forced_.empty()) return;
    forced_ = "broke the protocol: " + what;
    plan_.log->error("[HOST-REJECTED] The plugin's host is ended: {}. generation={} build={:.8}", what,
                     plan_.number, build());
    body_->channel().close();
    body_->kill();
}

void LiveGeneration::on_channel_ended(std::optional<Failure> malformed) {
    if (malformed) return reject(malformed->message);
    // Its end is closed, so it is about to end; one that does not is helped.
    end_timer_ = loop_.after(plan_.options->kill_grace, [this] {
        if (!body_ || !body_->can_be_killed()) return;
        if (forced_.empty() && !draining_) forced_ = "closed its link and lived on; killed";
        body_->kill();
    });
}

void LiveGeneration::on_registration_late() {
    const auto limit = readable(plan_.options->registration_deadline);
    refused_ = Failure{Cause::timed_out, fmt::format("not registered within {}", limit), 0, 0, {}};
    if (body_->can_be_killed()) {
        forced_ = fmt::format("not registered within {}", limit);
        return body_->kill();
    }
    refused_.reset();  // it may still come
    stuck_ = true;
    plan_.log->error(
        "[REGISTRATION-STUCK] The plugin's registration does not return, and a thread cannot be "
        "ended; waiting. limit={} generation={}",
        limit, plan_.number);
}

void LiveGeneration::drop_requests() {
    for (auto& [id, stop] : std::exchange(requests_, {})) stop.request_stop();
    asked_data_.clear();
    asked_data_bytes_ = 0;
    data_.reset();
}

void LiveGeneration::on_body_ended(HostBody::End end) {
    body_->channel().receive_rest();
    std::vector<Outcome> outcomes;
    Gone gone;
    gone.expected = draining_ && end.clean && forced_.empty();
    gone.killed = draining_ && !gone.expected;
    gone.still_mapped = std::move(end.still_mapped);
    gone.end = explain(std::move(end), outcomes);
    if (!outcomes.empty()) handlers_.outcomes(std::move(outcomes));
    if (!registered_) {
        if (!refused_)
            refused_ = Failure{Cause::network,
                               fmt::format("its host {} before the plugin was registered", gone.end.reason),
                               0,
                               0,
                               {}};
        gone.refused = refused_;
    }
    tell_gone(std::move(gone));
}

/// What the messages did not say any more stands on the page. It is believed as far as it fits
/// what was handed out.
HostEnd LiveGeneration::explain(HostBody::End end, std::vector<Outcome>& last_outcomes) {
    HostEnd out;
    out.reason = forced_.empty() ? std::move(end.reason) : fmt::format("{} ({})", forced_, end.reason);
    out.last_words = std::move(end.last_words);
    for (auto& outcome : body_->page().ended_after(received_)) {
        if (!is_next(outcome)) break;
        last_outcomes.push_back(std::move(outcome));
    }
    for (const auto& running : body_->page().all_running()) {
        if (!overlaps_ && running.sequence != received_ + 1) continue;
        const Running call{running.event, running.callback};
        if (expected_.has(call)) out.running.push_back(call);
    }
    return out;
}

void LiveGeneration::tell_gone(Gone gone) {
    drop_requests();
    call_timer_.reset();
    deadline_timer_.reset();
    end_timer_.reset();
    expected_.clear();
    // Not from within its own function.
    loop_.post([body = std::exchange(body_, nullptr)] {});
    const auto told = std::exchange(handlers_, {});
    if (told.gone) told.gone(std::move(gone));
}

void LiveGeneration::drain(std::chrono::milliseconds at_most) {
    if (!body_ || draining_) return;
    draining_ = true;
    body_->channel().send(host::Drain{});
    end_timer_ = loop_.after(at_most, [this] {
        body_->channel().send(host::Stop{});
        end_timer_ = loop_.after(plan_.options->kill_grace, [this] {
            forced_ = "did not end in time; killed";
            if (body_->can_be_killed()) return body_->kill();
            Gone gone;
            gone.abandoned = true;
            gone.end.reason = "does not end, and is a thread";
            if (const auto first = expected_.front()) gone.end.running.push_back(*first);
            const auto told = std::exchange(handlers_, {});
            if (told.gone) told.gone(std::move(gone));
        });
    });
}

void LiveGeneration::detach() {
    handlers_ = {[] {}, [](auto&&) {}, {}};
    drop_requests();
    call_timer_.reset();
    deadline_timer_.reset();
    end_timer_.reset();
    body_.reset();
}

// Deadlines. The page says which call is running; how long it does is measured here, on the
// loop's clock, from the moment it was first seen.

void LiveGeneration::watch_calls() {
    auto shortest = std::chrono::milliseconds::max();
    for (const auto& deadline : {plan_.settings->soft_deadline, plan_.settings->hard_deadline})
        if (deadline) shortest = std::min(shortest, *deadline);
    if (shortest == std::chrono::milliseconds::max()) return;
    using namespace std::chrono_literals;
    const auto pause = std::clamp<std::chrono::milliseconds>(shortest / 8, 10ms, 1000ms);
    call_timer_ = loop_.after(pause, [this] {
        if (!body_ || expected_.empty()) return;
        look_at_calls();
        watch_calls();
    });
}

bool LiveGeneration::is_slow(const Seen& call) { return call.warned || call.stopped.has_value(); }
bool LiveGeneration::is_overdue(const Seen& call) { return call.stopped.has_value(); }

void LiveGeneration::look_at_calls() {
    std::vector<Seen> seen;
    for (const auto& call : body_->page().all_running()) {
        const auto before = std::find_if(seen_.begin(), seen_.end(),
                                         [&](const auto& one) { return one.sequence == call.sequence; });
        auto& now =
            seen.emplace_back(before == seen_.end() ? Seen{call.sequence, loop_.clock().now()} : *before);
        look_at_call(call, now);
    }
    seen_ = std::move(seen);
    stuck_ = std::any_of(seen_.begin(), seen_.end(), is_slow);
    if (!std::any_of(seen_.begin(), seen_.end(), is_overdue)) {
        if (forced_.empty()) deadline_timer_.reset();
    } else if (!deadline_timer_) {
        deadline_timer_ = loop_.after(plan_.options->kill_grace, [this] { end_overdue(); });
    }
}

void LiveGeneration::look_at_call(const host::RunPage::Call& call, Seen& seen) {
    const auto now = loop_.clock().now();
    const auto name = call.callback < callbacks_.size() ? callbacks_[call.callback].name : std::string();
    const auto& [soft, hard] = std::pair(plan_.settings->soft_deadline, plan_.settings->hard_deadline);
    if (soft && now - seen.at >= *soft && !std::exchange(seen.warned, true))
        plan_.log->warning(
            "[CALL-SLOW] A callback takes longer than its soft deadline. callback={} event={} "
            "deadline={}",
            name, call.event, readable(*soft));
    if (!hard || now - seen.at < *hard || seen.stopped) return;
    seen.stopped = now;
    plan_.log->error(
        "[CALL-OVERDUE] A callback passed its hard deadline; {}. callback={} event={} deadline={}",
        body_->can_be_killed() ? "its host is ended" : "it is asked to stop, and cannot be ended in a thread",
        name, call.event, readable(*hard));
    body_->channel().send(host::StopCall{call.sequence});
}

bool LiveGeneration::runs_still(bool (*which)(const Seen&)) const {
    if (!body_) return false;
    const auto running = body_->page().all_running();
    return std::any_of(seen_.begin(), seen_.end(), [&](const Seen& one) {
        return which(one) && std::any_of(running.begin(), running.end(),
                                         [&](const auto& call) { return call.sequence == one.sequence; });
    });
}

/// They were asked first; now SIGABRT for a trace, then SIGKILL.
void LiveGeneration::end_overdue() {
    deadline_timer_.reset();
    if (!runs_still(is_overdue) || !body_->can_be_killed()) return;
    forced_ = fmt::format("passed its hard deadline of {}", readable(*plan_.settings->hard_deadline));
    body_->abort();
    deadline_timer_ = loop_.after(plan_.options->kill_grace, [this] {
        if (body_) body_->kill();
    });
}

}  // namespace sg::plugins
