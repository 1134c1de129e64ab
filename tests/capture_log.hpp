#pragma once
// A logger that keeps what it is told.

#include <mutex>
#include <sg/logger.hpp>
#include <string>
#include <vector>

namespace sg::test {

class CaptureLog final : public Logger {
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
    /// How many lines contain `text` (a message code, usually).
    std::size_t count(std::string_view text) const {
        std::size_t n = 0;
        for (const auto& line : lines()) n += line.text.find(text) != std::string::npos ? 1U : 0U;
        return n;
    }
    std::string all() const {
        std::string out;
        for (const auto& line : lines()) out += line.text + "\n";
        return out;
    }
    void clear() {
        std::lock_guard lock(mutex_);
        lines_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<Line> lines_;
};

}  // namespace sg::test
