// Log files: which there are, and what happens to them at midnight.

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "catch.hpp"
#include "logging/logging.hpp"
#include "temp_dir.hpp"
#include "util/clock.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using logging::Logging;
namespace fs = std::filesystem;

namespace files_test {

namespace {

/// The local time of a place, for this process, while it lives.
class Zone {
public:
    explicit Zone(const char* name) {
        ::setenv("TZ", name, 1);
        ::tzset();
    }
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    ~Zone() {
        ::unsetenv("TZ");
        ::tzset();
    }
};

/// What a file says, compressed or not.
std::string content(const fs::path& file) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(::gzopen(file.c_str(), "rb"), ::gzclose);
    std::string out(1 << 20, '\0');
    std::size_t size = 0;
    for (int n = 0; in && (n = ::gzread(in.get(), out.data() + size, 1 << 16)) > 0;) {
        size += static_cast<std::size_t>(n);
        out.resize(size + (1 << 20));
    }
    out.resize(size);
    return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
    std::vector<std::string> out;
    std::istringstream in(content(file));
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(directory)) out.insert(entry.path().filename().string());
    return out;
}

struct Fixture {
    TempDir dir;
    ManualClock clock;  // begins at 2026-03-04 00:00 UTC
    Logging::Options options;
    std::unique_ptr<Logging> log;

    Fixture() {
        options.file = dir / "main.log";
        options.to_stderr = false;
        options.now = [this] { return clock.utc(); };
    }
    void open() { log = Logging::open(options).value(); }
    /// What anybody said, whichever file it is in.
    std::vector<std::string> all_lines() const {
        std::vector<std::string> out;
        for (const auto& name : names_in(dir.path()))
            for (auto& line : lines_of(dir / name)) out.push_back(std::move(line));
        return out;
    }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

void say_everything(Logger& log, const std::string& who) {
    log.write(LogLevel::trace, who + " trace");
    log.debug("{} debug", who);
    log.info("{} info", who);
    log.warning("{} warning", who);
    log.error("{} error", who);
}

}  // namespace

TEST_CASE("C128 one file has everybody's lines, and a plugin's level is its own") {
    Fixture f;
    f.open();
    f.log->set_level(f.log->plugin("a"), LogLevel::debug);
    say_everything(f.log->engine(), "engine");
    say_everything(f.log->plugin("a"), "a");
    say_everything(f.log->plugin("b"), "b");
    CHECK(names_in(f.dir.path()) == std::set<std::string>{"main.log"});
    const auto text = content(f.dir / "main.log");
    CHECK(lines_of(f.dir / "main.log").size() == 3 + 4 + 3);
    CHECK(has(text, "debug   [plugin.a] a debug"));
    CHECK_FALSE((has(text, "b debug") || has(text, "engine debug") || has(text, "a trace")));
}

TEST_CASE(
    "C128 with a file per plugin the main file is the daemon's alone, and a plugin's level is its own") {
    Fixture f;
    f.options.per_plugin = true;
    f.open();
    f.log->set_level(f.log->plugin("a"), LogLevel::debug);
    say_everything(f.log->engine(), "engine");
    say_everything(f.log->plugin("a"), "a");
    say_everything(f.log->plugin("b"), "b");
    CHECK(names_in(f.dir.path()) == std::set<std::string>{"main.log", "plugin.a", "plugin.b"});
    CHECK(lines_of(f.dir / "main.log").size() == 3);
    CHECK(lines_of(f.dir / "plugin.a").size() == 4);
    CHECK(lines_of(f.dir / "plugin.b").size() == 3);
    for (const auto& name : {"main.log", "plugin.a", "plugin.b"})
        CHECK((fs::status(f.dir / name).permissions() & fs::perms::all) ==
              (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a plugin's file that cannot be opened costs no line: they are in the main one") {
    Fixture f;
    f.options.per_plugin = true;
    fs::create_directory(f.dir / "plugin.a");
    f.open();
    f.log->plugin("a").error("still said");
    const auto text = content(f.dir / "main.log");
    CHECK(has(text, "[LOG-REFUSED]"));
    CHECK(has(text, "[plugin.a] still said"));
}

TEST_CASE("C129 twelve midnights leave ten dated files beside the log, each with the lines of its day") {
    const Zone zone("Europe/Berlin");
    Fixture f;
    f.options.compress = GENERATE(false, true);
    f.open();
    for (int day = 0; day <= 12; ++day) {
        f.log->engine().info("day {} begins", day);
        f.clock.advance(12h);
        f.log->engine().info("day {} goes on", day);
        f.clock.advance(12h);
    }
    const std::string end = f.options.compress ? ".gz" : "";
    std::set<std::string> expected{"main.log"};
    for (int day = 6; day <= 15; ++day)
        expected.insert("main.log.2026-03-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + end);
    CHECK(wait_for([&] { return names_in(f.dir.path()) == expected; }));
    CHECK(names_in(f.dir.path()) == expected);
    // In Berlin it was one o'clock when the day of UTC began.
    for (int day = 2; day <= 11; ++day) {
        const auto date = day + 4;
        const auto lines = lines_of(
            f.dir / ("main.log.2026-03-" + std::string(date < 10 ? "0" : "") + std::to_string(date) + end));
        REQUIRE(lines.size() == 2);
        CHECK(has(lines[0], "day " + std::to_string(day) + " begins"));
        CHECK(has(lines[1], "day " + std::to_string(day) + " goes on"));
    }
    CHECK(lines_of(f.dir / "main.log").size() == 2);
}

TEST_CASE("C129 how many files are kept, and whether compressed, changes while the log is open") {
    const Zone zone("UTC");
    Fixture f;
    f.open();
    const auto day = [&] {
        f.log->engine().info("a day");
        f.clock.advance(24h);
        f.log->engine().info("the next");
    };
    for (int i = 0; i < 5; ++i) day();
    CHECK(wait_for([&] { return names_in(f.dir.path()).size() == 6; }));
    f.log->set_keeping(2, true);
    day();
    const auto kept = [&] {
        const auto names = names_in(f.dir.path());
        return names.size() == 3 && std::any_of(names.begin(), names.end(), [](const std::string& name) {
                   return name.ends_with(".gz");
               });
    };
    CHECK(wait_for(kept));
    f.log->set_keeping(3, false);
    day();
    CHECK(wait_for([&] { return names_in(f.dir.path()).size() == 4; }));
}

TEST_CASE("C129 days of 23 and 25 hours end at their midnight, too") {
    const Zone zone("Europe/Berlin");
    const auto [month, day, hours] = GENERATE(std::make_tuple(3u, 29u, 23), std::make_tuple(10u, 25u, 25));
    Fixture f;
    const auto noon_before =
        std::chrono::sys_days{std::chrono::year{2026} / std::chrono::month(month) / std::chrono::day(day)} -
        12h;
    f.clock.set_utc(noon_before);
    f.open();
    f.log->engine().info("the day before");
    const auto midnight =
        std::chrono::sys_days{std::chrono::year{2026} / std::chrono::month(month) / std::chrono::day(day)} -
        std::chrono::hours(hours == 23 ? 1 : 2);
    f.clock.set_utc(midnight + 1s);
    f.log->engine().info("the day begins");
    f.clock.set_utc(midnight + std::chrono::hours(hours) - 1s);
    f.log->engine().info("the day ends");
    f.clock.set_utc(midnight + std::chrono::hours(hours) + 1s);
    f.log->engine().info("the day after");
    const auto name = fmt::format("main.log.2026-{:02}-{:02}", month, day);
    REQUIRE(fs::exists(f.dir / name));
    CHECK(lines_of(f.dir / name).size() == 2);
    CHECK(lines_of(f.dir / "main.log").size() == 1);
}

TEST_CASE("C129 threads that log while midnights pass and somebody renames the file lose and split no line") {
    Fixture f;
    f.options.keep = 1000;
    f.options.compress = true;
    f.open();
    constexpr int threads = 4, each = 3000;
    std::atomic<int> logged{0};
    {
        std::vector<std::jthread> running;
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&, t] {
                auto& log = f.log->plugin("p" + std::to_string(t));
                for (int i = 0; i < each; ++i, ++logged) log.info("thread={} i={} end", t, i);
            });
        for (int turn = 1; logged < threads * each; ++turn) {
            f.clock.advance(24h);
            std::error_code not_there;  // while a logger puts it aside for the day
            fs::rename(f.dir / "main.log", f.dir / ("main.log-" + std::to_string(turn)), not_there);
            f.log->reopen();
            wait_for([&, until = logged + threads * each / 20] {
                return logged >= std::min(until, threads * each);
            });
        }
    }
    f.log.reset();
    std::set<std::string> said;
    for (const auto& line : f.all_lines()) {
        if (has(line, "[LOG-REOPENED]")) continue;
        CHECK(line.ends_with(" end"));
        const auto at = line.find("thread=");
        REQUIRE(at != std::string::npos);
        CHECK(said.insert(line.substr(at)).second);
    }
    CHECK(said.size() == threads * each);
}

TEST_CASE("lines of an earlier day that a stopped daemon left behind are put aside with the first line") {
    Fixture f;
    std::ofstream(f.dir / "main.log") << "of another day\n";
    const auto day = std::chrono::sys_days{std::chrono::year{2026} / 2 / 20} + 12h;
    const timespec times[2] = {{std::chrono::system_clock::to_time_t(day), 0},
                               {std::chrono::system_clock::to_time_t(day), 0}};
    ::utimensat(AT_FDCWD, (f.dir / "main.log").c_str(), times, 0);
    // Ten days apart: a daemon that keeps ten files counts files, not days.
    for (int i = 10; i < 28; ++i) std::ofstream(f.dir / ("main.log.2025-01-" + std::to_string(i))) << "old\n";
    for (const auto* other : {"main.log.txt", "main.log.2025-01-01.bak", "main.logs.2025-01-01"})
        std::ofstream(f.dir / other) << "not ours\n";
    f.open();
    f.log->engine().info("today");
    CHECK(lines_of(f.dir / "main.log.2026-02-20") == std::vector<std::string>{"of another day"});
    CHECK(lines_of(f.dir / "main.log").size() == 1);
    CHECK(wait_for([&] { return names_in(f.dir.path()).size() == 1 + 10 + 3; }));
    CHECK_FALSE(fs::exists(f.dir / "main.log.2025-01-18"));
    CHECK(fs::exists(f.dir / "main.log.2025-01-19"));
}

TEST_CASE("a file that was put aside under that name already is not written over") {
    Fixture f;
    std::ofstream(f.dir / "main.log.2026-03-04") << "of the morning\n";
    f.open();
    f.log->engine().info("of the evening");
    f.clock.advance(24h);
    f.log->engine().info("of the next day");
    CHECK(lines_of(f.dir / "main.log.2026-03-04") == std::vector<std::string>{"of the morning"});
    CHECK(lines_of(f.dir / "main.log.2026-03-04.1").size() == 1);
}

TEST_CASE("without rotation midnight is a time like any other") {
    Fixture f;
    f.options.rotate = false;
    f.open();
    f.log->engine().info("before");
    f.clock.advance(48h);
    f.log->engine().info("after");
    CHECK(lines_of(f.dir / "main.log").size() == 2);
    CHECK(names_in(f.dir.path()).size() == 1);
}

}  // namespace files_test
