// sgeventd replay

#include "cli/replay_command.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>

#include "cli/at_hand.hpp"
#include "cli/failure_code.hpp"
#include "cli/progress_line.hpp"
#include "config/values.hpp"
#include "util/utc_text.hpp"

namespace sg::cli {
namespace {

using nlohmann::json;
using service::IntendedWrite;

std::optional<EventId> parse_id(std::string_view text) {
    EventId id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id <= 0) return std::nullopt;
    return id;
}

std::string short_json(const json& value) {
    auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 120) text = text.substr(0, 117) + "...";
    return text;
}

/// "update Shot 12", "create Note", "batch".
std::string deed(const IntendedWrite& write) {
    const auto type = write.arguments.value("type", json());
    const auto id = write.arguments.value("id", json());
    std::string text = write.method;
    if (type.is_string()) text += " " + type.get<std::string>();
    if (id.is_number_integer()) text += " " + id.dump();
    return text;
}

/// A line on the terminal while what is shown goes somewhere else.
class ReplayProgress {
public:
    explicit ReplayProgress(std::uint64_t total) : total_(total) {}

    void add(const event::EventRow& row) {
        ++events_;
        line_.show([&] { return text(row); });
    }
    void end() { line_.end(); }

private:
    std::string text(const event::EventRow& row) const {
        const auto count = total_ == 0 ? fmt::format("{} events", events_)
                                       : fmt::format("{} events of at most {}", events_, total_);
        return fmt::format("replay: {}, at {} of {:%Y-%m-%d %H:%M:%S}", count, row.id, row.created_at);
    }

    const std::uint64_t total_;
    std::uint64_t events_ = 0;
    StatusLine line_{::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0};
};

/// For people, one event under the other.
class TextView final : public service::ReplayView {
public:
    TextView(ReplayProgress& progress, bool show_all) : progress_(progress), show_all_(show_all) {}

    void on_event(const event::EventRow& row) override {
        progress_.add(row);
        say("{}  {:%Y-%m-%d %H:%M:%S}  {}  {}\n", row.id, row.created_at, row.type.empty() ? "-" : row.type,
            row.attribute);
    }
    void on_missing(stream::IdRange ids) override {
        if (ids.first == ids.last)
            say("{}  not on the site, or not shown to the daemon's script\n", ids.first);
        else
            say("{}-{}  not on the site, or not shown to the daemon's script\n", ids.first, ids.last);
    }
    void on_match(const std::string& plugin, const std::string& callback) override {
        say("  + {}: {}\n", plugin, callback);
    }
    void on_no_match(const std::string& plugin, const std::string& callback,
                     const std::string& why) override {
        if (show_all_) say("  - {}: {}: {}\n", plugin, callback, why);
    }
    void on_write(const IntendedWrite& write) override {
        const std::lock_guard lock(mutex_);
        fmt::print("      would {}\n", deed(write));
        const auto data = write.arguments.find("data");
        if (data == write.arguments.end() || !data->is_object()) {
            if (write.method == "batch") fmt::print("        {}\n", short_json(write.arguments));
            return;
        }
        for (const auto& [field, after] : data->items()) {
            const bool is_known = write.before.is_object() && write.before.contains(field);
            if (is_known)
                fmt::print("        {}: {} -> {}\n", field, short_json(write.before.at(field)),
                           short_json(after));
            else
                fmt::print("        {}: {}\n", field, short_json(after));
        }
    }
    void on_outcome(const std::string& plugin, const std::string& callback,
                    const plugins::Outcome& outcome) override {
        const auto took = std::chrono::duration<double, std::milli>(outcome.duration).count();
        if (outcome.ok)
            say("      {}: {}: done in {:.1f} ms\n", plugin, callback, took);
        else
            say("      {}: {}: failed after {:.1f} ms: {}\n", plugin, callback, took, outcome.error);
    }
    void on_crash(const std::string& plugin, const std::string& reason) override {
        say("      {}: its process ended: {}; it is left out from here on\n", plugin, reason);
    }
    void on_refused(const std::string& plugin, const std::string& why) override {
        std::fprintf(stderr, "sgeventd: %s is not loaded: %s\n", plugin.c_str(), why.c_str());
    }

private:
    template <class... Args>
    void say(fmt::format_string<Args...> format, Args&&... args) {
        const std::lock_guard lock(mutex_);
        fmt::print(format, std::forward<Args>(args)...);
    }
    std::mutex mutex_;
    ReplayProgress& progress_;
    const bool show_all_;
};

/// For programs: an object a line, each with "what" it is.
class JsonView final : public service::ReplayView {
public:
    explicit JsonView(ReplayProgress& progress) : progress_(progress) {}

    void on_event(const event::EventRow& row) override {
        progress_.add(row);
        say({{"what", "event"}, {"event", row.id}, {"type", row.type}, {"attribute", row.attribute}});
    }
    void on_missing(stream::IdRange ids) override {
        say({{"what", "missing"}, {"first", ids.first}, {"last", ids.last}});
    }
    void on_match(const std::string& plugin, const std::string& callback) override {
        say({{"what", "match"}, {"plugin", plugin}, {"callback", callback}});
    }
    void on_no_match(const std::string& plugin, const std::string& callback,
                     const std::string& why) override {
        say({{"what", "no_match"}, {"plugin", plugin}, {"callback", callback}, {"why", why}});
    }
    void on_write(const IntendedWrite& write) override {
        say({{"what", "write"},
             {"plugin", write.plugin},
             {"callback", write.callback},
             {"event", write.event},
             {"method", write.method},
             {"arguments", write.arguments},
             {"before", write.before}});
    }
    void on_outcome(const std::string& plugin, const std::string& callback,
                    const plugins::Outcome& outcome) override {
        say({{"what", "outcome"},
             {"plugin", plugin},
             {"callback", callback},
             {"event", outcome.event},
             {"ok", outcome.ok},
             {"error", outcome.error},
             {"duration_us", outcome.duration.count()}});
    }
    void on_crash(const std::string& plugin, const std::string& reason) override {
        say({{"what", "crash"}, {"plugin", plugin}, {"reason", reason}});
    }
    void on_refused(const std::string& plugin, const std::string& why) override {
        say({{"what", "refused"}, {"plugin", plugin}, {"why", why}});
    }

private:
    void say(const json& line) {
        const std::lock_guard lock(mutex_);
        fmt::print("{}\n", line.dump(-1, ' ', false, json::error_handler_t::replace));
    }
    std::mutex mutex_;
    ReplayProgress& progress_;
};

}  // namespace

std::optional<std::vector<stream::IdRange>> parse_ids(const std::vector<std::string>& words,
                                                      std::string& wrong) {
    std::vector<stream::IdRange> ranges;
    for (const auto& word : words) {
        const auto dash = word.find('-');
        const auto first = parse_id(std::string_view(word).substr(0, dash));
        const auto last =
            dash == std::string::npos ? first : parse_id(std::string_view(word).substr(dash + 1));
        if (!first || !last || *last < *first) {
            wrong = word;
            return std::nullopt;
        }
        ranges.push_back({*first, *last});
    }
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<stream::IdRange> apart;
    for (const auto& range : ranges) {
        if (!apart.empty() && range.first <= apart.back().last)
            apart.back().last = std::max(apart.back().last, range.last);
        else
            apart.push_back(range);
    }
    return apart;
}

std::optional<std::chrono::sys_seconds> parse_time(const std::string& word, std::chrono::sys_seconds now) {
    if (const auto time = read_utc_or_day(word)) return time;
    std::chrono::milliseconds ago{};
    if (!config::parse(word, config::Slot(&ago), config::Range{})) return std::nullopt;
    return now - std::chrono::ceil<std::chrono::seconds>(ago);
}

namespace {

/// What is wrong with it has been said where there is none.
std::optional<service::Window> read_window(const ReplayCommandOptions& options) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto read = [now](const std::string& word) {
        const auto time = parse_time(word, now);
        if (!time)
            std::fprintf(stderr,
                         "sgeventd: '%s' is no time: 2026-03-04T05:06:07Z, 2026-03-04, or 2h for two hours "
                         "ago\n",
                         word.c_str());
        return time;
    };
    service::Window window;
    const auto since = read(options.since);
    if (!since) return std::nullopt;
    window.since = *since;
    if (options.until.empty()) return window;
    window.until = read(options.until);
    if (!window.until) return std::nullopt;
    if (*window.until > window.since) return window;
    std::fputs("sgeventd: --until is not after --since\n", stderr);
    return std::nullopt;
}

/// How many events there may be; 0 where nobody knows.
std::uint64_t total_of(const std::vector<stream::IdRange>& ids) {
    std::uint64_t total = 0;
    for (const auto& range : ids) total += static_cast<std::uint64_t>(range.last - range.first) + 1;
    return total;
}

}  // namespace

ExitCode replay_command(const ReplayCommandOptions& options) {
    std::signal(SIGPIPE,
                SIG_IGN);  // as the site client wants it; a reader that is gone is not ours to die of
    std::string wrong;
    auto ids = parse_ids(options.ids, wrong);
    if (!ids) {
        std::fprintf(stderr, "sgeventd: '%s' is no id of an event, nor a range of them (101-120)\n",
                     wrong.c_str());
        return ExitCode::usage;
    }
    auto replay = options.replay;
    replay.ids = std::move(*ids);
    if (!options.since.empty()) {
        replay.window = read_window(options);
        if (!replay.window) return ExitCode::usage;
    }
    const auto at_hand = open_at_hand(options.config);
    if (!at_hand) return at_hand.error();
    std::ifstream file;
    if (!options.file.empty()) {
        const bool is_piped = options.file == "-";
        if (!is_piped) file.open(options.file);
        if (!is_piped && !file) {
            std::fprintf(stderr, "sgeventd: cannot read %s: %s\n", options.file.c_str(),
                         std::strerror(errno));
            return ExitCode::data;
        }
        replay.from = is_piped ? &std::cin : &file;
        replay.recording = is_piped ? "standard input" : options.file;
    }
    ReplayProgress progress(total_of(replay.ids));
    TextView text(progress, options.show_all);
    JsonView lines(progress);
    service::ReplayView& view =
        options.output == Output::json ? static_cast<service::ReplayView&>(lines) : text;
    const auto counts = service::replay(at_hand->config, replay, *at_hand->logging, view);
    progress.end();
    if (!counts) {
        std::fprintf(stderr, "sgeventd: %s\n", counts.error().message.c_str());
        return code_of(counts.error());
    }
    if (options.output == Output::text) {
        const char* made = !replay.execute ? "No callback was called."
                           : replay.write  ? "What they changed was made."
                                           : "Nothing was changed on the site.";
        fmt::print("{} events, {} calls wanted, {} failed, {} ids missing. {}\n", counts->events,
                   counts->matches, counts->failed, counts->missing, made);
    }
    return counts->missing + counts->failed + counts->refused == 0 ? ExitCode::ok : ExitCode::data;
}

}  // namespace sg::cli
