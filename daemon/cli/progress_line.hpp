#pragma once
// How far a transfer has got, for a person.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sg::cli {

/// `1.2 of 3.0 GB, 40 %, 85 MB/s, 0:21 left`; without a total what is known of it.
std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total,
                          std::chrono::duration<double> took);

/// One line on standard error that is written over, ten times a second at most.
///
/// Threads: one at a time.
class StatusLine {
public:
    /// Shows nothing at all where it is not `wanted`, as where standard error is no terminal.
    explicit StatusLine(bool wanted) : wanted_(wanted) {}
    ~StatusLine() { end(); }
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    /// `text` is called for what is shown, if it is time. `last`: it is.
    void show(const std::function<std::string()>& text, bool last = false);

    /// Leaves the line as it is.
    void end();

private:
    using Clock = std::chrono::steady_clock;
    const bool wanted_;
    std::optional<Clock::time_point> shown_;
};

/// That of a transfer; nothing where standard error is no terminal.
///
/// Threads: one at a time.
class ProgressLine {
public:
    explicit ProgressLine(std::string name);
    void show(std::uint64_t done, std::optional<std::uint64_t> total);

private:
    using Clock = std::chrono::steady_clock;
    const std::string name_;
    const Clock::time_point begun_ = Clock::now();
    StatusLine line_;
};

}  // namespace sg::cli
