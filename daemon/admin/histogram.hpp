#pragma once
// How long something took, how often.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace sg::admin {

/// Counts per bucket, in the sense of Prometheus. The buckets are the same for every plugin and few: there
/// may be a thousand plugins, and each bucket is a line of a scrape.
///
/// Threads: none of its own; a copy is a value.
struct Histogram {
    /// Upper bounds in seconds; what is longer is counted in a last bucket.
    static constexpr std::array<double, 8> bounds{0.005, 0.05, 0.25, 1, 5, 30, 300, 3600};

    std::array<std::uint64_t, bounds.size() + 1> buckets{};  ///< not cumulative
    double sum = 0;                                          ///< in seconds

    /// Less than nothing, as clocks that differ may say, is nothing.
    void add(double seconds) noexcept {
        seconds = std::max(0.0, seconds);
        const auto found = std::lower_bound(bounds.begin(), bounds.end(), seconds);
        ++buckets[static_cast<std::size_t>(found - bounds.begin())];
        sum += seconds;
    }
};

}  // namespace sg::admin
