// Calls, written down.

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "catch.hpp"
#include "logging/logging.hpp"
#include "temp_dir.hpp"

using namespace sg;
using namespace std::chrono_literals;
using logging::Logging;
using logging::Timing;

namespace timing_test {

namespace {

/// As a script reads the old daemon's timing file: eight pairs in their order.
const std::regex old_format(
    R"((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - timing - INFO - )"
    R"(event_id=(\d+) created_at=(\S+) callback=(\S+) start=(\S+) end=(\S+) )"
    R"(duration=(-?\d\d:\d\d:\d\d:\d\d\.\d{6}) error=(True|False) delay=(-?\d\d:\d\d:\d\d:\d\d\.\d{6}))");

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

struct Fixture {
    test::TempDir dir;
    Logging::Options options;
    Fixture() {
        ::setenv("TZ", "Europe/Berlin", 1);
        ::tzset();
        options.file = dir / "main.log";
        options.to_stderr = false;
        options.per_plugin = true;
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() {
        ::unsetenv("TZ");
        ::tzset();
    }
};

// A quarter of an hour before summer time begins in Berlin.
constexpr auto created = std::chrono::sys_days{std::chrono::year{2026} / 3 / 29} + 45min;

Timing call(std::optional<UtcTime> at, UtcTime start, std::chrono::microseconds took, bool failed) {
    return {4711, at, "shot_status.on_status", start, start + took, failed};
}

}  // namespace

TEST_CASE("C130 the timing log has a line in the old format for each call, across a change of the clocks") {
    Fixture f;
    f.options.timings = logging::Timings::lines;
    const auto log = Logging::open(f.options).value();
    REQUIRE(log->wants_timings());
    log->timing(call(created, created + 20min + 1500us, 250'500us, false));
    log->timing(call(created, created + 24h * 3 + 2h, 1s, true));
    log->timing(call(created, created - 5min, 1ms, false));  // dated in the future
    CHECK(lines_of(f.dir / "main.log").empty());
    const auto lines = lines_of(f.dir / "main.log.timing");
    REQUIRE(lines.size() == 3);
    std::vector<std::smatch> found(3);
    for (std::size_t i = 0; i < 3; ++i) {
        INFO(lines[i]);
        REQUIRE(std::regex_match(lines[i], found[i], old_format));
        CHECK(found[i][2] == "4711");
        CHECK(found[i][3] == "2026-03-29T01:45:00+01:00");
        CHECK(found[i][4] == "shot_status.on_status");
    }
    CHECK(found[0][5] == "2026-03-29T03:05:00.001500+02:00");
    CHECK(found[0][6] == "2026-03-29T03:05:00.252000+02:00");
    CHECK(found[0][7] == "00:00:00:00.250500");
    CHECK(found[0][8] == "False");
    CHECK(found[0][9] == "00:00:20:00.001500");
    CHECK(found[1][7] == "00:00:00:01.000000");
    CHECK(found[1][8] == "True");
    CHECK(found[1][9] == "03:02:00:00.000000");
    CHECK(found[2][9] == "-00:00:05:00.000000");
}

TEST_CASE("C130 as records each call is a JSON object, whatever the layout of the log") {
    Fixture f;
    f.options.per_plugin = false;
    f.options.timings = logging::Timings::records;
    const auto log = Logging::open(f.options).value();
    log->timing(call(created, created + 20min + 1500us, 250'500us, false));
    log->timing(call({}, created, 1s, true));
    const auto lines = lines_of(f.dir / "main.log.timing");
    REQUIRE(lines.size() == 2);
    CHECK(nlohmann::json::parse(lines[0]) == nlohmann::json{{"event_id", 4711},
                                                            {"created_at", "2026-03-29T00:45:00.000000Z"},
                                                            {"callback", "shot_status.on_status"},
                                                            {"start", "2026-03-29T01:05:00.001500Z"},
                                                            {"end", "2026-03-29T01:05:00.252000Z"},
                                                            {"duration_s", 0.2505},
                                                            {"failed", false},
                                                            {"delay_s", 1200.0015}});
    CHECK(nlohmann::json::parse(lines[1])["created_at"].is_null());
    CHECK(nlohmann::json::parse(lines[1])["delay_s"].is_null());
}

TEST_CASE(
    "C130 with one file for all, lines of calls are among the others, and a threshold above info silences "
    "them") {
    Fixture f;
    f.options.per_plugin = false;
    f.options.timings = logging::Timings::lines;
    f.options.level = GENERATE(LogLevel::info, LogLevel::warning);
    const auto log = Logging::open(f.options).value();
    CHECK(log->wants_timings() == (f.options.level == LogLevel::info));
    log->timing(call(created, created, 1s, false));
    const auto lines = lines_of(f.dir / "main.log");
    REQUIRE(lines.size() == (f.options.level == LogLevel::info ? 1 : 0));
    if (!lines.empty())
        CHECK(lines.front().find("info    [timing] event_id=4711 created_at=") != std::string::npos);
}

TEST_CASE("calls that nobody wants written down cost nothing") {
    Fixture f;
    const auto log = Logging::open(f.options).value();
    CHECK_FALSE(log->wants_timings());
    log->timing(call(created, created, 1s, false));
    CHECK(lines_of(f.dir / "main.log").empty());
}

}  // namespace timing_test
