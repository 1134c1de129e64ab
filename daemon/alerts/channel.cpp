#include "alerts/channel.hpp"

#include <future>

#include "util/thread.hpp"

namespace sg::alerts {

Channel::Channel(Options options, std::unique_ptr<Sender> sender, Clock& clock, Logger& log)
    : options_(std::move(options)),
      sender_(std::move(sender)),
      log_(log),
      loop_(clock),
      piles_(options_.pace),
      backoff_(options_.pauses) {
    status_.name = options_.name;
    thread_ =
        start_thread("alert-" + options_.name, [this](std::stop_token stop) { loop_.run(std::move(stop)); });
}

Channel::~Channel() { stop(std::chrono::milliseconds(0)); }

void Channel::add(const Alert& alert, const std::vector<std::string>& to) {
    std::lock_guard lock(mutex_);
    piles_.add(alert, to, loop_.clock().now());
    if (!std::exchange(woken_, true)) loop_.post([this] { arm(); });
}

ChannelStatus Channel::status() const {
    std::lock_guard lock(mutex_);
    auto status = status_;
    status.waiting += piles_.waiting();
    return status;
}

/// Looks when the next message is due.
void Channel::arm() {
    std::optional<Clock::Time> due;
    {
        std::lock_guard lock(mutex_);
        woken_ = false;
        due = piles_.due();
    }
    if (current_ || !due) return;  // one that failed has the next turn
    timer_ = loop_.at(*due, [this] { send_due(false); });
}

void Channel::send_due(bool at_once) {
    {
        std::lock_guard lock(mutex_);
        current_ = piles_.take(loop_.clock().now(), at_once);
        if (current_) status_.waiting = current_->count();
    }
    if (!current_) return arm();
    backoff_.reset();
    attempt(at_once);
}

void Channel::attempt(bool is_last) {
    const auto sent = sender_->send(*current_, stop_sending_.get_token());
    const auto count = current_->count();
    if (sent) {
        std::lock_guard lock(mutex_);
        ++status_.messages;
        status_.last_sent = loop_.clock().utc();
        status_.sent += count;
        status_.held_back += current_->held;
        status_.waiting = 0;
        status_.last_error.clear();
        piles_.told(*current_, loop_.clock().now());
        current_.reset();
    } else {
        {
            std::lock_guard lock(mutex_);
            ++status_.failures;
            status_.last_error = sent.error().message;
        }
        const auto pause = backoff_.next();
        const bool tries_on = !is_last && backoff_.failures() < static_cast<std::uint32_t>(options_.attempts);
        // The first failure and the end are what an operator must know.
        log_.log(tries_on && backoff_.failures() == 1 ? LogLevel::warning : LogLevel::debug,
                 "[ALERT-FAILED] An alert could not be sent{}. channel={} alerts={} attempt={} why={}",
                 tries_on ? "; trying again" : "", options_.name, count, backoff_.failures(),
                 sent.error().message);
        if (tries_on) {
            timer_ = loop_.after(pause, [this] { attempt(false); });
            return;
        }
        lose(*current_);
        current_.reset();
    }
    if (!is_last) arm();
}

void Channel::lose(const Message& message) {
    std::string why;
    std::uint64_t lost = 0;
    {
        std::lock_guard lock(mutex_);
        status_.waiting = 0;
        lost = status_.lost += message.count();
        why = status_.last_error;
    }
    log_.error("[ALERTS-LOST] Alerts could not be sent and are given up. channel={} alerts={} lost={} why={}",
               options_.name, message.count(), lost, why.empty() ? "no time was left" : why);
}

void Channel::stop(std::chrono::milliseconds at_most) {
    if (std::exchange(stopped_, true)) return;
    std::promise<void> flushed;
    auto done = flushed.get_future();
    loop_.post([this, &flushed] {
        timer_.reset();
        if (current_) attempt(true);
        for (;;) {
            send_due(true);
            std::lock_guard lock(mutex_);
            if (piles_.waiting() == 0) break;
        }
        timer_.reset();
        flushed.set_value();
    });
    // What is under way is cut short when the time is over; then nothing blocks, and the rest fails at once.
    if (done.wait_for(at_most) != std::future_status::ready) stop_sending_.request_stop();
    done.wait();
    thread_.request_stop();
    thread_.join();
}

}  // namespace sg::alerts
