#pragma once
// A logger that keeps what it is told.

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <sg/logger.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sg::testing {

/// Keeps every line of every level.
///
/// Threads: any.
class CaptureLogger final : public Logger {
public:
    struct Line {
        LogLevel level;
        std::string text;
    };

    bool enabled(LogLevel) const noexcept override { return true; }
    void write(LogLevel level, std::string_view text) noexcept override {
        std::lock_guard lock(mutex_);
        lines_.push_back({level, std::string(text)});
    }

    std::vector<Line> lines() const {
        std::lock_guard lock(mutex_);
        return lines_;
    }

    /// How many lines contain `text`.
    std::size_t count(std::string_view text) const {
        std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const Line& line) {
            return line.text.find(text) != std::string::npos;
        }));
    }

private:
    mutable std::mutex mutex_;
    std::vector<Line> lines_;
};

}  // namespace sg::testing
