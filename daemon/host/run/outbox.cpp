#include "host/run/outbox.hpp"

#include <utility>

namespace sg::host {

bool Outbox::add(std::uint64_t sequence, Outcome outcome, Flush flush) {
    bool wake = false, sent = false;
    {
        std::lock_guard lock(mutex_);
        if (pending_.empty()) first_ = sequence;
        if (pending_.size() == pending_.capacity()) pending_.reserve(pending_.empty() ? 16 : most);
        const bool urgent = !outcome.ok || flush == Flush::now;
        pending_.push_back(std::move(outcome));
        if (urgent || pending_.size() >= most) {
            flush_locked();
            sent = true;
        } else if (!watched_) {
            watched_ = true;
            wake = true;
        }
    }
    if (wake) channel_.wake();
    return sent;
}

void Outbox::flush() {
    std::lock_guard lock(mutex_);
    flush_locked();
}

/// Under the lock, so that batches leave in order.
void Outbox::flush_locked() {
    if (pending_.empty()) return;
    if (!channel_.send(Outcomes{first_, std::exchange(pending_, {})}, HostChannel::WhenFull::wait))
        on_lost_();
}

void Outbox::expect() {
    std::lock_guard lock(mutex_);
    watched_ = true;
}

void Outbox::rest() {
    std::lock_guard lock(mutex_);
    watched_ = !pending_.empty();
}

bool Outbox::is_watched() const {
    std::lock_guard lock(mutex_);
    return watched_;
}

void Outbox::tick() {
    std::lock_guard lock(mutex_);
    if (pending_.empty())
        watched_ = false;
    else
        flush_locked();
}

}  // namespace sg::host
