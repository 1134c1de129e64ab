#pragma once
// A plugin's log lines, on their way to the daemon.

#include <atomic>
#include <optional>

#include "host/link/channel.hpp"

namespace sg::host {

/// Where all loggers of a host meet. Lines that the daemon has no room for are counted.
///
/// Threads: any.
class LogLink {
public:
    explicit LogLink(HostChannel& channel) : channel_(channel) {}
    void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
    bool enabled(LogLevel level) const noexcept { return level >= level_.load(std::memory_order_relaxed); }
    void send(LogLine line);

private:
    HostChannel& channel_;
    std::atomic<LogLevel> level_{LogLevel::info};
    std::atomic<std::uint64_t> dropped_{0};
};

/// What a callback gets: names the callback and the event in each line.
class LinkLogger final : public Logger {
public:
    LinkLogger(LogLink& link, std::optional<std::uint16_t> callback, EventId event)
        : link_(link), callback_(callback), event_(event) {}
    bool enabled(LogLevel level) const noexcept override { return link_.enabled(level); }
    void write(LogLevel level, std::string_view text) noexcept override;

private:
    LogLink& link_;
    std::optional<std::uint16_t> callback_;
    EventId event_;
};

}  // namespace sg::host
