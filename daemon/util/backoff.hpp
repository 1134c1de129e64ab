#pragma once
// Growing, jittered pauses between attempts.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace sg {

/// A pause between half of a doubling ceiling and the whole of it: spread out, and still visibly
/// growing. The floor holds under any setting, so no caller can be talked into a tight loop.
class Backoff {
public:
    struct Limits {
        std::chrono::milliseconds floor{100};   ///< no pause is shorter
        std::chrono::milliseconds first{1000};  ///< ceiling of the first pause
        std::chrono::milliseconds most{60000};  ///< ceiling of all of them
    };

    explicit Backoff(Limits limits, std::uint64_t seed = std::random_device{}())
        : limits_(limits), random_(seed) {}

    /// The pause after the attempt that just failed.
    std::chrono::milliseconds next() {
        const auto most = std::max(limits_.floor, limits_.most);
        auto ceiling = std::min(most, std::max(limits_.floor, limits_.first));
        for (std::uint32_t i = 0; i < failures_ && ceiling < most; ++i) ceiling = std::min(most, ceiling * 2);
        ++failures_;
        std::uniform_int_distribution<std::int64_t> pick(std::max(limits_.floor, ceiling / 2).count(),
                                                         ceiling.count());
        return std::chrono::milliseconds(pick(random_));
    }
    std::uint32_t failures() const noexcept { return failures_; }
    void reset() noexcept { failures_ = 0; }

private:
    Limits limits_;
    std::mt19937_64 random_;
    std::uint32_t failures_ = 0;
};

}  // namespace sg
