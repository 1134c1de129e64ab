// spdlog behind `sg::Logger`.

#include "logging/logging.hpp"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <system_error>

#include "logging/mask.hpp"
#include "util/fd.hpp"

namespace sg::logging {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
    constexpr std::array levels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                spdlog::level::warn, spdlog::level::err};
    return levels.at(static_cast<std::size_t>(level));
}

/// The journal's priorities, 3 error to 7 debug.
class Priority final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& line, const std::tm&, spdlog::memory_buf_t& out) override {
        const char digit = line.level >= spdlog::level::err    ? '3'
                           : line.level == spdlog::level::warn ? '4'
                           : line.level == spdlog::level::info ? '6'
                                                               : '7';
        for (const char c : {'<', digit, '>'}) out.push_back(c);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }
};

std::unique_ptr<spdlog::formatter> formatter(bool journal, bool colour) {
    auto made = std::make_unique<spdlog::pattern_formatter>();
    made->add_flag<Priority>('*');
    made->set_pattern(journal  ? "%*[%n] %v"
                      : colour ? "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ [%n] %v"
                               : "%Y-%m-%dT%H:%M:%S.%e%z %-7l [%n] %v");
    return made;
}

/// Who is told of each line.
class Watch {
public:
    void set(Logging::Watcher watcher) {
        std::unique_lock lock(mutex_);
        watcher_ = std::move(watcher);
    }
    void tell(LogLevel level, const std::string& logger, std::string_view text) const {
        if (level < LogLevel::info) return;
        std::shared_lock lock(mutex_);
        if (watcher_) watcher_(level, logger, clean_lines(text));
    }

private:
    mutable std::shared_mutex mutex_;
    Logging::Watcher watcher_;
};

class Named final : public Logger {
public:
    Named(std::shared_ptr<spdlog::logger> to, const Mask& mask, const Watch& watch)
        : to_(std::move(to)), mask_(mask), watch_(watch) {}

    bool enabled(LogLevel level) const noexcept override { return to_->should_log(to_spdlog(level)); }
    void write(LogLevel level, std::string_view text) noexcept override {
        if (!enabled(level)) return;  // a plugin's stub may not have asked
        try {
            const auto masked = mask_.apply(text);
            to_->log(to_spdlog(level), spdlog::string_view_t(one_line(masked)));
            watch_.tell(level, to_->name(), masked);
        } catch (...) {
            to_->log(spdlog::level::err, "a line was lost: no memory for it");
        }
    }
    void set_level(LogLevel level) { to_->set_level(to_spdlog(level)); }

private:
    std::shared_ptr<spdlog::logger> to_;
    const Mask& mask_;
    const Watch& watch_;
};

class SpdlogLogging final : public Logging {
public:
    SpdlogLogging(const Options& options, std::vector<spdlog::sink_ptr> sinks)
        : sinks_(std::move(sinks)), level_(options.level), engine_(named("engine")) {
        for (const auto& secret : options.secrets) mask_.add(secret);
    }

    Logger& engine() override { return *engine_; }
    Logger& plugin(const std::string& name) override {
        std::lock_guard lock(mutex_);
        auto& logger = plugins_[name];
        if (!logger) logger = named("plugin." + name);
        return *logger;
    }
    void set_level(Logger& logger, LogLevel level) override {
        if (auto* ours = dynamic_cast<Named*>(&logger)) ours->set_level(level);
    }
    void add_secret(const std::string& secret) override { mask_.add(secret); }
    void watch(Watcher watcher) override { watch_.set(std::move(watcher)); }
    void flush() override {
        for (const auto& sink : sinks_) sink->flush();
    }

private:
    std::unique_ptr<Named> named(const std::string& name) {
        auto logger = std::make_shared<spdlog::logger>(one_line(name), sinks_.begin(), sinks_.end());
        logger->set_level(to_spdlog(level_));
        logger->flush_on(spdlog::level::trace);  // what was said before a crash is what matters
        logger->set_error_handler([this](const std::string& what) { refused(what); });
        return std::make_unique<Named>(std::move(logger), mask_, watch_);
    }

    /// A full disk refuses every line; it is said once.
    void refused(const std::string& what) {
        if (!refused_.exchange(true))
            std::fprintf(stderr, "[LOG-REFUSED] cannot write the log: %s\n", what.c_str());
    }

    std::vector<spdlog::sink_ptr> sinks_;
    LogLevel level_;
    Mask mask_;
    Watch watch_;
    std::atomic<bool> refused_ = false;
    std::unique_ptr<Named> engine_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<Named>> plugins_;
};

spdlog::sink_ptr stderr_sink(bool journal) {
    const char* no_color = std::getenv("NO_COLOR");
    const bool colour =
        !journal && ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
    spdlog::sink_ptr sink;
    if (colour)
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    else
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(formatter(journal, colour));
    return sink;
}

}  // namespace

bool Logging::stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
    // The variable is inherited by children whose standard error goes elsewhere.
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

Result<std::unique_ptr<Logging>> Logging::open(Options options) {
    std::vector<spdlog::sink_ptr> sinks;
    if (options.to_stderr) sinks.push_back(stderr_sink(options.journal));
    if (!options.file.empty()) {
        const UniqueFd made(::open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        if (!made)
            return fail(Cause::invalid, "cannot open the log file {}: {}", options.file.string(),
                        std::generic_category().message(errno));
        try {
            sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file.string()));
        } catch (const spdlog::spdlog_ex& error) {
            return fail(Cause::invalid, "{}", error.what());
        }
        sinks.back()->set_formatter(formatter(false, false));
    }
    return std::make_unique<SpdlogLogging>(options, std::move(sinks));
}

}  // namespace sg::logging
