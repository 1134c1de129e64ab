#pragma once
// What time it is at the site.

#include <chrono>
#include <optional>
#include <sg/types.hpp>

#include "util/clock.hpp"

namespace sg::stream {

/// The site's time, estimated from its answers; between them the monotonic clock runs on, so a
/// wall clock that jumps changes nothing.
///
/// Where the site's `Date` and our wall clock disagree, the earlier one counts, but nothing before
/// the newest event: a hole is then rather waited for too long than given up too soon.
///
/// Threads: one.
class SiteClock {
public:
    using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

    explicit SiteClock(Clock& clock) : clock_(clock), ours_(offset_of(clock.utc())) {}

    /// Takes what an answer said; `newest` is the time of its newest event, or zero.
    void sample(std::optional<UtcTime> date, std::chrono::sys_seconds newest) {
        if (date) date_ = offset_of(*date);
        if (newest == std::chrono::sys_seconds{}) return;
        const auto offset = offset_of(newest);
        if (!newest_ || offset > *newest_) newest_ = offset;
    }

    Instant now() const {
        auto offset = date_ ? std::min(*date_, ours_) : ours_;
        if (date_ && newest_) offset = std::max(offset, std::min(*newest_, *date_));
        return std::chrono::floor<std::chrono::milliseconds>(
            std::chrono::sys_time<Clock::Duration>(clock_.now().time_since_epoch() + offset));
    }

    /// The site's clock minus ours at the start; nullopt while the site sends no date.
    std::optional<std::chrono::milliseconds> skew() const {
        if (!date_) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::milliseconds>(*date_ - ours_);
    }

private:
    template <class Time>
    Clock::Duration offset_of(Time utc) const {
        return std::chrono::duration_cast<Clock::Duration>(utc.time_since_epoch()) -
               clock_.now().time_since_epoch();
    }

    Clock& clock_;
    Clock::Duration ours_;
    std::optional<Clock::Duration> date_;
    std::optional<Clock::Duration> newest_;
};

}  // namespace sg::stream
