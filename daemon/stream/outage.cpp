#include "stream/outage.hpp"

#include <algorithm>

namespace sg::stream {
namespace {

/// Trying again soon cannot help: somebody has to change something.
bool needs_somebody(Cause cause) {
    return cause == Cause::authentication || cause == Cause::permission || cause == Cause::bad_request ||
           cause == Cause::invalid || cause == Cause::not_supported;
}

constexpr std::chrono::hours longest_retry_after{1};

}  // namespace

Outage::Outage(const Settings& settings, Clock& clock, Logger& log)
    : settings_(settings),
      clock_(clock),
      log_(log),
      backoff_(settings.backoff),
      slow_({settings.refused_pause, settings.refused_pause, settings.refused_pause * 5}),
      since_(clock.utc()) {}

void Outage::enter(State state) {
    if (state_ == state) return;
    state_ = state;
    since_ = clock_.utc();
}

std::chrono::milliseconds Outage::failed(const Failure& why) {
    if (attempts_++ == 0) began_ = clock_.now();
    last_ = why;
    last_error_ = why.message;
    const bool refused = needs_somebody(why.cause);
    auto pause = (refused ? slow_ : backoff_).next();
    if (why.retry_after)
        pause = std::max(pause, std::min<std::chrono::milliseconds>(*why.retry_after, longest_retry_after));
    say(why, refused, pause);
    return pause;
}

void Outage::say(const Failure& why, bool refused, std::chrono::milliseconds pause) {
    const auto lasted = clock_.now() - began_;
    if (refused) {
        if (once("[SITE-REFUSED]"))
            log_.error(
                "[SITE-REFUSED] The site refuses us; somebody must look. Trying again slowly. cause={} "
                "site_code={} status={} wait_ms={} error={}",
                to_string(why.cause), why.site_code, why.http_status, pause.count(), why.message);
        return enter(State::refused);
    }
    const bool escalate = attempts_ >= settings_.escalate_after || lasted >= settings_.escalate_time;
    if (!has_answered_) {
        if (once("[WAITING-FOR-SITE]"))
            log_.warning(
                "[WAITING-FOR-SITE] No answer from the site yet; waiting for it. cause={} status={} "
                "wait_ms={} error={}",
                to_string(why.cause), why.http_status, pause.count(), why.message);
    } else if (why.cause == Cause::bad_answer) {
        if (once("[PAGE-REFUSED]"))
            log_.warning("[PAGE-REFUSED] Page refused; trying again. wait_ms={} error={}", pause.count(),
                         why.message);
    } else if (once("[SITE-LOST]")) {
        log_.warning(
            "[SITE-LOST] The site does not answer; trying again. cause={} status={} wait_ms={} error={}",
            to_string(why.cause), why.http_status, pause.count(), why.message);
    }
    if (escalate) say_down();
    enter(escalate ? State::down : has_answered_ ? State::lost : State::waiting);
}

void Outage::say_down() {
    if (!once("[SITE-DOWN]")) return;
    const auto lasted = std::chrono::duration<double>(clock_.now() - began_).count();
    log_.error(
        "[SITE-DOWN] Still no usable answer from the site; no events arrive. after_s={:.1f} attempts={} "
        "cause={} status={} error={}",
        lasted, attempts_, to_string(last_.cause), last_.http_status, last_.message);
}

std::optional<Clock::Time> Outage::escalation_due() const {
    if (attempts_ == 0 || state_ == State::refused || state_ == State::down) return std::nullopt;
    return began_ + settings_.escalate_time;
}

void Outage::escalate() {
    if (attempts_ == 0) return;
    say_down();
    enter(State::down);
}

void Outage::answered(State level_or_catching_up) {
    if (attempts_ > 0) {
        const auto lasted = std::chrono::duration<double>(clock_.now() - began_).count();
        log_.info("[SITE-BACK] The site answers again. after_s={:.1f} attempts={}", lasted, attempts_);
    }
    attempts_ = 0;
    has_answered_ = true;
    said_.clear();
    last_error_.clear();
    backoff_.reset();
    slow_.reset();
    enter(level_or_catching_up);
}

}  // namespace sg::stream
