#include "host/run/link_turn.hpp"

namespace sg::host {

void LinkTurn::begin_idle() {
    std::unique_lock lock(mutex_);
    is_busy_ = false;
    if (reader_ == Reader::runner) return;
    is_wanted_ = true;
    channel_.wake();  // it sleeps on the link, where no condition reaches it
    changed_.wait(lock, [this] { return reader_ == Reader::runner; });
    is_wanted_ = false;
}

void LinkTurn::end_idle() {
    std::lock_guard lock(mutex_);
    is_busy_ = true;
    ++spells_;
    if (is_asleep_) changed_.notify_all();
}

void LinkTurn::hand_over() {
    std::lock_guard lock(mutex_);
    if (!is_busy_ || reader_ == Reader::link) return;
    reader_ = Reader::link;
    changed_.notify_all();
}

bool LinkTurn::wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        if (reader_ == Reader::link) return true;
        if (!is_busy_) {
            is_asleep_ = true;
            changed_.wait(lock, stop, [this] { return is_busy_ || reader_ == Reader::link; });
            is_asleep_ = false;
            continue;
        }
        const auto spell = spells_;
        changed_.wait_for(lock, stop, patience, [this] { return reader_ == Reader::link; });
        if (is_busy_ && spell == spells_) reader_ = Reader::link;
    }
    return false;
}

bool LinkTurn::goes_on() {
    std::lock_guard lock(mutex_);
    if (!is_wanted_) return true;
    reader_ = Reader::runner;
    changed_.notify_all();
    return false;
}

void LinkTurn::leave() {
    std::lock_guard lock(mutex_);
    reader_ = Reader::runner;
    changed_.notify_all();
}

}  // namespace sg::host
