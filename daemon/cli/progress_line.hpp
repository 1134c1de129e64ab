#pragma once
// How far a transfer has got, for a person.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sg::cli {

/// `1.2 of 3.0 GB, 40 %, 85 MB/s, 0:21 left`; without a total what is known of it.
std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total,
                          std::chrono::duration<double> took);

/// One line on standard error that is written over; nothing at all where that is no terminal.
///
/// Threads: one at a time.
class ProgressLine {
public:
    explicit ProgressLine(std::string name);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(std::uint64_t done, std::optional<std::uint64_t> total);

private:
    using Clock = std::chrono::steady_clock;
    const std::string name_;
    const bool terminal_;
    const Clock::time_point begun_ = Clock::now();
    std::optional<Clock::time_point> shown_;
};

}  // namespace sg::cli
