// spdlog behind `sg::Logger`.

#include "logging/logging.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "logging/mask.hpp"
#include "logging/sinks.hpp"
#include "logging/timing.hpp"

namespace sg::logging {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
    constexpr std::array levels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                spdlog::level::warn, spdlog::level::err};
    return levels.at(static_cast<std::size_t>(level));
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
    Named(std::shared_ptr<spdlog::logger> to, const Mask& mask, const Watch& watch,
          const std::function<UtcTime()>& now)
        : to_(std::move(to)), mask_(mask), watch_(watch), now_(now) {}

    bool enabled(LogLevel level) const noexcept override { return to_->should_log(to_spdlog(level)); }
    void write(LogLevel level, std::string_view text) noexcept override {
        if (!enabled(level)) return;  // a plugin's stub may not have asked
        try {
            const auto masked = mask_.apply(text);
            to_->log(now_(), {}, to_spdlog(level), spdlog::string_view_t(one_line(masked)));
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
    const std::function<UtcTime()>& now_;
};

class SpdlogLogging final : public Logging {
public:
    static Result<std::unique_ptr<Logging>> open(Options options) {
        if (!options.now) options.now = [] { return std::chrono::system_clock::now(); };
        std::unique_ptr<SpdlogLogging> made(new SpdlogLogging(std::move(options)));
        if (auto opened = made->open_files(); !opened) return tl::unexpected(opened.error());
        made->engine_ = made->named("engine", made->sinks_);
        return made;
    }

    Logger& engine() override { return *engine_; }
    Logger& plugin(const std::string& name) override {
        std::lock_guard lock(mutex_);
        auto& logger = plugins_[name];
        if (!logger) logger = named("plugin." + name, sinks_of(name));
        return *logger;
    }
    void timing(const Timing& call) override {
        if (timing_)
            timing_->write(LogLevel::info,
                           options_.timings == Timings::lines ? old_line(call) : record(call));
    }
    bool wants_timings() const noexcept override {
        return timing_ != nullptr && timing_->enabled(LogLevel::info);
    }
    void reopen() override {
        std::vector<std::shared_ptr<FileSink>> files;
        {
            std::lock_guard lock(mutex_);
            files = files_;
        }
        for (const auto& file : files)
            if (const auto done = file->reopen(); !done)
                engine_->error(
                    "[LOG-REFUSED] A log file cannot be opened again; lines go on where they went. why={}",
                    done.error().message);
        engine_->info("[LOG-REOPENED] Log files were opened again. files={}", files.size());
    }
    void set_level(Logger& logger, LogLevel level) override {
        if (auto* ours = dynamic_cast<Named*>(&logger)) ours->set_level(level);
    }
    void set_keeping(std::size_t keep, bool compress) override { archivist_.keep(keep, compress); }
    void add_secret(const std::string& secret) override { mask_.add(secret); }
    void watch(Watcher watcher) override { watch_.set(std::move(watcher)); }
    void flush() override {
        for (const auto& sink : sinks_) sink->flush();
    }

private:
    using Sinks = std::vector<spdlog::sink_ptr>;

    explicit SpdlogLogging(Options options)
        : options_(std::move(options)), archivist_(options_.keep, options_.compress) {
        for (const auto& secret : options_.secrets) mask_.add(secret);
    }

    Result<void> open_files() {
        if (options_.to_stderr) sinks_.push_back(stderr_sink(options_.json, options_.journal, options_.site));
        if (options_.file.empty()) return {};
        auto main = open_file(options_.file, Layout::text);
        if (!main) return tl::unexpected(main.error());
        const bool apart = options_.timings == Timings::records || options_.per_plugin;
        sinks_.push_back(std::move(*main));
        if (options_.timings == Timings::none) return {};
        auto sinks = sinks_;
        if (apart) {
            const bool lines = options_.timings == Timings::lines;
            auto own = open_file(options_.file.string() + ".timing", lines ? Layout::old : Layout::bare);
            if (!own) return tl::unexpected(own.error());
            sinks = {std::move(*own)};
        }
        timing_ = named("timing", sinks);
        return {};
    }

    Result<spdlog::sink_ptr> open_file(const std::filesystem::path& file, Layout layout) {
        auto opened = LogFile::open(file, options_.rotate, options_.now(), archivist_);
        if (!opened) return tl::unexpected(opened.error());
        files_.push_back(file_sink(std::move(*opened), layout));
        return files_.back();
    }

    /// A file that cannot be opened costs no line: they go to the main one.
    Sinks sinks_of(const std::string& plugin) {
        if (!options_.per_plugin || options_.file.empty()) return sinks_;
        auto own = open_file(options_.file.parent_path() / ("plugin." + plugin), Layout::text);
        if (!own) {
            engine_->error("[LOG-REFUSED] A plugin's lines go to the main log. plugin={} why={}", plugin,
                           own.error().message);
            return sinks_;
        }
        Sinks sinks(sinks_.begin(), sinks_.end() - 1);  // the main file is the last
        sinks.push_back(std::move(*own));
        return sinks;
    }

    std::unique_ptr<Named> named(const std::string& name, const Sinks& sinks) {
        auto logger = std::make_shared<spdlog::logger>(one_line(name), sinks.begin(), sinks.end());
        logger->set_level(to_spdlog(options_.level));
        logger->flush_on(spdlog::level::trace);  // what was said before a crash is what matters
        logger->set_error_handler([this](const std::string& what) { refused(what); });
        return std::make_unique<Named>(std::move(logger), mask_, watch_, options_.now);
    }

    /// A full disk refuses every line; it is said once.
    void refused(const std::string& what) {
        if (!refused_.exchange(true))
            std::fprintf(stderr, "[LOG-REFUSED] cannot write the log: %s\n", what.c_str());
    }

    const Options options_;
    Mask mask_;
    Watch watch_;
    std::atomic<bool> refused_ = false;
    Archivist archivist_;
    Sinks sinks_;
    std::vector<std::shared_ptr<FileSink>> files_;
    std::unique_ptr<Named> engine_, timing_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<Named>> plugins_;
};

}  // namespace

bool Logging::stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
    // The variable is inherited by children whose standard error goes elsewhere.
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

Result<std::unique_ptr<Logging>> Logging::open(Options options) {
    return SpdlogLogging::open(std::move(options));
}

}  // namespace sg::logging
