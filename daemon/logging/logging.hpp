#pragma once
// Where all log lines of the daemon go.

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <sg/logger.hpp>
#include <sg/types.hpp>
#include <string>
#include <vector>

#include "util/result.hpp"

namespace sg::logging {

/// Whether calls are written down, and how: as lines of the old daemon, or as JSON objects.
enum class Timings { none, lines, records };

/// One call of a callback that has ended.
struct Timing {
    EventId event = 0;
    std::optional<UtcTime> created_at;  ///< of the event, if it has a date
    std::string callback;               ///< `plugin.callback`
    UtcTime start{}, end{};
    bool failed = false;
};

/// Named loggers over shared sinks: standard error, and files if wanted.
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
        bool per_plugin = false;          ///< a plugin's lines go to `plugin.<name>` beside it, not to it
        bool rotate = true;               ///< at local midnight
        std::size_t keep = 10;            ///< files that were put aside, of each log
        bool compress = false;            ///< those
        Timings timings =
            Timings::none;  ///< `records` are in `<file>.timing`, and so are `lines` with `per_plugin`
        bool json = false;  ///< what goes to standard error: an object a line
        bool journal = false;
        bool to_stderr = true;
        std::string site;  ///< which of several, on standard error: `[NAME/engine]`; empty: there is one
        std::vector<std::string> secrets;
        std::function<UtcTime()> now;  ///< empty: the machine's clock
    };

    /// Whether standard error is the journal's.
    static bool stderr_is_journal();

    /// Errors: the file cannot be opened.
    static Result<std::unique_ptr<Logging>> open(Options options);
    virtual ~Logging() = default;

    /// The logger `engine`, or `plugin.<name>`.
    virtual Logger& engine() = 0;
    virtual Logger& plugin(const std::string& name) = 0;

    /// Writes down a call, if that is wanted. `wants_timings` says whether.
    virtual void timing(const Timing& call) = 0;
    virtual bool wants_timings() const noexcept = 0;

    /// Goes on in the files that have the names now, after somebody has renamed them. What cannot be opened
    /// is said, and lines go on where they went.
    virtual void reopen() = 0;

    virtual void set_level(Logger& logger, LogLevel level) = 0;

    /// From the next file on that is put aside: `Options::keep` and `compress`.
    virtual void set_keeping(std::size_t keep, bool compress) = 0;

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
