#include <algorithm>

#include "stream/stream_impl.hpp"

namespace sg::stream {
namespace {

long long number(std::chrono::milliseconds value) { return value.count(); }
template <class Integer>
long long number(Integer value) {
    return static_cast<long long>(value);
}

template <class T>
void clamp(const char* name, T& value, T least, T most, Logger& log) {
    const T given = value;
    value = std::clamp(value, least, most);
    if (value != given)
        log.warning(
            "[SETTING-CLAMPED] A setting of the stream was out of its range. name={} given={} used={}", name,
            number(given), number(value));
}

}  // namespace

Settings clamped(Settings given, Logger& log) {
    using namespace std::chrono_literals;
    using ms = std::chrono::milliseconds;
    clamp<std::int64_t>("page_size", given.page_size, 1, 500, log);
    clamp<ms>("interval", given.interval, Settings::interval_floor, 1h, log);
    given.idle_interval = std::max(given.idle_interval, given.interval);
    clamp<ms>("idle_interval", given.idle_interval, Settings::interval_floor, 1h, log);
    clamp<ms>("gap_timeout", given.gap_timeout, 1s, 24h, log);
    clamp<ms>("gap_interval", given.gap_interval, Settings::interval_floor, 1h, log);
    clamp<ms>("gap_watch", given.gap_watch, 0ms, 30 * 24h, log);
    clamp<ms>("watch_interval", given.watch_interval, Settings::interval_floor, 24h, log);
    clamp<std::size_t>("most_watched", given.most_watched, 1, 1'000'000, log);
    clamp<std::size_t>("gap_queries", given.gap_queries, 1, 100, log);
    clamp<std::size_t>("ranges_per_query", given.ranges_per_query, 1, 200, log);
    clamp<std::size_t>("most_gaps", given.most_gaps, 1, 1'000'000, log);
    clamp<std::size_t>("workers", given.workers, 1, 16, log);
    clamp<std::size_t>("catch_up_queries", given.catch_up_queries, 1, 16, log);
    clamp<ms>("calm", given.calm, 1s, 1h, log);
    clamp<ms>("backoff.floor", given.backoff.floor, Settings::interval_floor, 1min, log);
    clamp<ms>("backoff.first", given.backoff.first, given.backoff.floor, 1h, log);
    clamp<ms>("backoff.most", given.backoff.most, given.backoff.first, 1h, log);
    clamp<ms>("refused_pause", given.refused_pause, 1s, 1h, log);
    clamp<std::uint32_t>("escalate_after", given.escalate_after, 1, 1'000'000, log);
    clamp<ms>("escalate_time", given.escalate_time, 1s, 24h, log);
    clamp<ms>("most_skew", given.most_skew, 1s, 24h, log);
    return given;
}

}  // namespace sg::stream
