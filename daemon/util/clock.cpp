#include "util/clock.hpp"

#include <algorithm>
#include <vector>

namespace sg {

Clock::Time SystemClock::now() const { return std::chrono::steady_clock::now(); }
std::chrono::system_clock::time_point SystemClock::utc() const { return std::chrono::system_clock::now(); }
std::optional<Clock::Duration> SystemClock::until(Time deadline) const {
    return std::max(Duration::zero(), deadline - now());
}
bool SystemClock::sleep_until(Time deadline, std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, deadline, [] { return false; });
    return !stop.stop_requested();
}

Clock::Time ManualClock::now() const {
    std::lock_guard lock(mutex_);
    return now_;
}
std::chrono::system_clock::time_point ManualClock::utc() const {
    std::lock_guard lock(mutex_);
    return utc_;
}
std::optional<Clock::Duration> ManualClock::until(Time deadline) const {
    std::lock_guard lock(mutex_);
    if (deadline <= now_) return Duration::zero();
    return std::nullopt;
}
bool ManualClock::sleep_until(Time deadline, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, stop, [&] { return now_ >= deadline; });
    return !stop.stop_requested();
}
int ManualClock::on_jump(std::function<void()> woken) {
    std::lock_guard lock(waking_);
    woken_.emplace(next_key_, std::move(woken));
    return next_key_++;
}
void ManualClock::off_jump(int key) {
    std::lock_guard lock(waking_);
    woken_.erase(key);
}
void ManualClock::advance(Duration by) {
    std::lock_guard waking(waking_);  // held while waking: a loop that unsubscribes is gone afterwards
    {
        std::lock_guard lock(mutex_);  // not held: who is woken may wait for one who asks for the time
        now_ += by;
        utc_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
    }
    moved_.notify_all();
    for (auto& [key, woken] : woken_) woken();
}
void ManualClock::set_utc(std::chrono::system_clock::time_point utc) {
    std::lock_guard lock(mutex_);
    utc_ = utc;
}

}  // namespace sg
