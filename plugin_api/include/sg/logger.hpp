#pragma once
// Where a plugin writes what it has to say.

#include <fmt/format.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sg {

/// What the reader must do: `error` act; `warning` know; `info` nothing, something was done;
/// `debug` and `trace` are for whoever looks for a fault.
enum class LogLevel : std::uint8_t { trace, debug, info, warning, error };

/// Formats with fmt inside the caller and hands on finished text.
///
///     logger.info("Status set. shot={} status={}", shot.name, status);
///
/// The format is checked when the plugin is compiled. JSON is not formatted by itself: pass `.dump()`.
/// Never log a key, a token or a whole event: what is in an event is not for every reader of a log.
///
/// Threads: any thread may log at any time. A line never blocks a callback for long: where the
/// daemon is behind, lines are dropped and the number of those dropped is logged.
class Logger {
public:
    template <class... Args>
    void trace(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::trace, format, std::forward<Args>(args)...);
    }
    template <class... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::debug, format, std::forward<Args>(args)...);
    }
    template <class... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::info, format, std::forward<Args>(args)...);
    }
    template <class... Args>
    void warning(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::warning, format, std::forward<Args>(args)...);
    }
    template <class... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::error, format, std::forward<Args>(args)...);
    }
    template <class... Args>
    void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
        if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
    }

    /// Whether a line of this level would be kept; a disabled line is not even formatted.
    virtual bool enabled(LogLevel level) const noexcept = 0;

    /// Takes one line of UTF-8 text, copied before the call returns. Never throws.
    virtual void write(LogLevel level, std::string_view text) noexcept = 0;

protected:
    ~Logger() = default;  // a plugin never owns one
};

}  // namespace sg
