#pragma once
// Where all log lines of the daemon go.

#include <filesystem>
#include <functional>
#include <memory>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "util/result.hpp"

namespace sg::logging {

/// Named loggers over shared sinks: standard error, and a file if wanted.
///
/// A line stays a line and says what it says: control characters and broken UTF-8 are written as
/// escapes, overlong lines are cut, and configured secrets are masked. The mask is the last line of
/// defence, not a licence to log them. Under systemd (`journal`) a line begins with its `<priority>`
/// and carries no time, which the journal has itself.
///
/// Threads:  every member, and every logger, from any thread.
/// Lifetime: outlives its loggers' users; a logger, once asked for, stays until the end.
class Logging {
public:
    struct Options {
        LogLevel level = LogLevel::info;  ///< of every logger that was not given its own
        std::filesystem::path file;       ///< empty: none; made private to the user, appended to
        bool journal = false;
        bool to_stderr = true;
        std::vector<std::string> secrets;
    };

    /// Whether standard error is the journal's.
    static bool stderr_is_journal();

    /// Errors: the file cannot be opened.
    static Result<std::unique_ptr<Logging>> open(Options options);
    virtual ~Logging() = default;

    /// The logger `engine`, or `plugin.<name>`.
    virtual Logger& engine() = 0;
    virtual Logger& plugin(const std::string& name) = 0;

    virtual void set_level(Logger& logger, LogLevel level) = 0;

    /// Masks one more text from now on. Texts of fewer than four bytes are not masked: they would
    /// make holes in every line.
    virtual void add_secret(const std::string& secret) = 0;

    /// Tells `watcher` of each line from info up that is kept, on the thread that logs it: secrets masked as
    /// in the log, line breaks left as they are. It must not block, and may not log. An empty one ends it:
    /// when this returns, none is called any more.
    using Watcher = std::function<void(LogLevel level, const std::string& logger, std::string text)>;
    virtual void watch(Watcher watcher) = 0;

    virtual void flush() = 0;
};

/// `text` on one line: what a terminal would act on, and what is not UTF-8, as escapes.
std::string one_line(std::string_view text);

/// The same for a text of several lines, whose breaks become `\n`; also cut where it is overlong.
std::string clean_lines(std::string_view text);

}  // namespace sg::logging
