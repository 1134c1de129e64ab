// sgeventd demo

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/commands.hpp"
#include "cli/demo_book.hpp"
#include "cli/demo_check.hpp"
#include "cli/demo_view.hpp"
#include "logging/logging.hpp"
#include "sandbox/production.hpp"
#include "sandbox/site.hpp"
#include "service/service.hpp"
#include "service/signals.hpp"
#include "util/thread.hpp"

namespace sg::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr const char* status_script = "shot_status";
constexpr std::size_t shots_at_least = 10;

/// The demo's files, removed at the end unless somebody should look at them.
class Scratch {
public:
    Scratch() {
        auto pattern = (std::filesystem::temp_directory_path() / "sgeventd-demo-XXXXXX").string();
        if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
    }
    ~Scratch() {
        std::error_code ignored;
        if (!keep_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }
    void keep() { keep_ = true; }

private:
    std::filesystem::path path_;
    bool keep_ = false;
};

/// Where the shipped plugins are: beside a build's programs, or installed.
std::filesystem::path plugin_directory() {
    std::error_code ignored;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
    for (const auto& place : {program.parent_path().parent_path() / "plugins",
                              program.parent_path().parent_path() / SG_PLUGIN_SUBDIR})
        if (std::filesystem::exists(place / "recorder.so")) return place;
    return {};
}

config::Config demo_config(const sandbox::Site& site, const std::filesystem::path& scratch,
                           const std::filesystem::path& plugins) {
    config::Config config;
    config.site.url = site.url();
    config.site.credential = "daemon";
    config.site.poll_interval = 200ms;
    config.site.idle_poll_interval = 200ms;
    config.credentials["daemon"] = {sandbox::Site::script, {sandbox::Site::key, "***"}, {}};
    config.credentials[status_script] = {status_script, {"a key of its own", "***"}, {}};
    config.collections = {plugins};
    config.plugins["recorder"].args.json =
        nlohmann::json{{"file", (scratch / "events.jsonl").string()}}.dump();
    config.plugins["shot_status"].credential = status_script;
    config.plugins["thumbnails"].enabled = false;  // nobody in the demo makes pictures
    config.state_dir = scratch / "state";
    config.cache_dir = scratch / "cache";
    config.drain_time = 5s;
    return config;
}

/// One run of the demo, from the first line to the summary.
class Demo {
public:
    Demo(const DemoOptions& options, service::Signals& signals, const std::filesystem::path& scratch,
         const std::filesystem::path& plugins, logging::Logging& logging)
        : options_(options),
          signals_(signals),
          journal_(scratch / "events.jsonl"),
          logging_(logging),
          book_({status_script}),
          production_(site_, {.on_change = [this](const auto& change) { book_.on_change(change); }}),
          service_(demo_config(with_script(), scratch, plugins), logging, clock_, &book_) {}

    ExitCode run() {
        view_.title(fmt::format("sgeventd demo: a sandbox site at {}, a daemon beside it. Ctrl-C ends it.",
                                site_.url()));
        ExitCode daemon = ExitCode::bug;
        auto thread = start_thread("service", [&](std::stop_token) {
            daemon = service_.run();
            ended_ = true;
        });
        const bool ready = go_on_until(steady_clock::now() + 30s, [&] { return book_.is_ready(2); });
        began_after_ = site_.newest_id();
        if (ready && !stop_) play();
        service_.stop(stop_ ? "SIGINT" : "the demo is over");
        while (!ended_) tick();
        thread.join();
        tick();
        if (daemon != ExitCode::ok || !ready) {
            view_.remark("the daemon did not run as it should");
            return daemon == ExitCode::ok ? ExitCode::bug : daemon;
        }
        return summary();
    }

private:
    sandbox::Site& with_script() {
        site_.add_script(status_script, "a key of its own");
        return site_;
    }

    void play() {
        production_.start();
        const auto end =
            options_.seconds ? steady_clock::now() + *options_.seconds : steady_clock::time_point::max();
        go_on_until(end, [] { return false; });
        production_.stop();
        stop_ = false;
        view_.remark("no more changes; waiting until the plugins are level");
        // A plugin's answer is an event too, which may want another answer.
        go_on_until(steady_clock::now() + 30s, [&] {
            const auto newest = site_.newest_id();
            return book_.is_level(newest) && site_.newest_id() == newest;
        });
    }

    /// Prints what happens until the condition holds, the time has come, or a signal came.
    template <class Condition>
    bool go_on_until(steady_clock::time_point end, Condition condition) {
        while (!stop_ && !ended_ && steady_clock::now() < end) {
            if (condition()) return true;
            tick();
        }
        return condition();
    }

    void tick() {
        pollfd waiting{signals_.fd(), POLLIN, 0};
        ::poll(&waiting, 1, 50);
        while (const int number = signals_.take())
            if (number == SIGINT || number == SIGTERM) interrupt();
        for (const auto& remark : book_.take_remarks()) view_.remark(remark);
        for (const auto& line : book_.take_lines()) view_.line(line);
        if (const auto now = steady_clock::now(); book_.changes() > 0 && now > standing_) {
            view_.standing(book_);
            standing_ = now + 5s;
        }
        view_.flush();
    }

    void interrupt() {
        if (interrupted_) std::_Exit(static_cast<int>(ExitCode::interrupted));
        stop_ = interrupted_ = true;
    }

    ExitCode summary() {
        site::Settings settings;
        settings.base_url = site_.url();
        auto client = site::Client::make(settings, clock_, logging_.engine());
        if (!client) return ExitCode::bug;
        const auto result = check_demo(**client, {sandbox::Site::script, sandbox::Site::key}, began_after_,
                                       book_, journal_, status_script);
        if (!result) {
            view_.remark(result.error().message);
            return ExitCode::bug;
        }
        auto longest = std::chrono::milliseconds::zero();
        view_.title("");
        view_.title(fmt::format("{:>6}  changes made by people", book_.changes()));
        view_.title(fmt::format("{:>6}  events written by the site", result->rows));
        for (const auto& [plugin, tally] : book_.tallies()) {
            view_.title(
                fmt::format("{:>6}  handled by {}{}", tally.handled.size(), plugin,
                            tally.failures == 0 ? "" : fmt::format(" ({} failed tries)", tally.failures)));
            longest = std::max(longest, tally.longest);
        }
        view_.title(fmt::format("{:>6}  shots whose status was changed by a plugin", result->shots.size()));
        view_.title(fmt::format("{:>3} ms  longest from a change to the end of a callback", longest.count()));
        return verdict(*result);
    }

    ExitCode verdict(const DemoResult& result) {
        for (std::size_t i = 0; i < std::min<std::size_t>(result.missing.size(), 10); ++i)
            view_.remark(result.missing[i]);
        // In a few seconds not many shots get there.
        const auto seconds =
            options_.seconds ? static_cast<std::size_t>(options_.seconds->count()) : 2 * shots_at_least;
        const auto expected = std::min(shots_at_least, seconds / 2);
        const bool enough = result.shots.size() >= expected || interrupted_;
        if (!enough) view_.remark(fmt::format("fewer than {} shots changed status", expected));
        const bool fine = result.missing.empty() && enough && book_.changes() > 0;
        view_.title(fine ? "Every change was handled by every plugin that wanted it."
                         : "Not every change was handled as it should be.");
        view_.flush();
        return fine || (interrupted_ && result.missing.empty()) ? ExitCode::ok : ExitCode::bug;
    }

    const DemoOptions& options_;
    service::Signals& signals_;
    const std::filesystem::path journal_;
    logging::Logging& logging_;
    SystemClock clock_;
    sandbox::Site site_;
    DemoBook book_;
    DemoView view_;
    sandbox::Production production_;
    service::Service service_;
    EventId began_after_ = 0;
    std::atomic<bool> ended_ = false;
    bool stop_ = false, interrupted_ = false;
    steady_clock::time_point standing_ = steady_clock::now() + 5s;
};

}  // namespace

ExitCode demo_command(const DemoOptions& options) {
    service::Signals signals;
    ::umask(077);
    const auto plugins = plugin_directory();
    if (plugins.empty()) {
        std::fputs("sgeventd: the shipped plugins are not where they should be\n", stderr);
        return ExitCode::config;
    }
    Scratch scratch;
    logging::Logging::Options log_options;
    log_options.to_stderr = false;
    log_options.file = scratch.path() / "daemon.log";
    log_options.level = LogLevel::debug;
    auto logging = logging::Logging::open(std::move(log_options));
    if (!logging) {
        std::fprintf(stderr, "sgeventd: %s\n", logging.error().message.c_str());
        return ExitCode::io;
    }
    const auto code = Demo(options, signals, scratch.path(), plugins, **logging).run();
    if (code != ExitCode::ok) {
        scratch.keep();
        std::fprintf(stderr, "sgeventd: the log of the daemon is %s\n",
                     (scratch.path() / "daemon.log").c_str());
    }
    return code;
}

}  // namespace sg::cli
