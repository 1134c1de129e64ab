// The plugin on a real file, alone and in company.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sg/testing.hpp>

#include "catch.hpp"
#include "journal.hpp"
#include "temp_dir.hpp"

using nlohmann::json;
using sg::testing::change;
using sg::testing::FakeSite;
using sg::testing::Plugin;

namespace {

json numbered(sg::EventId id) {
    auto row = change({"Shot", 862, "sh010"}, "code", "a", "b");
    row["id"] = id;
    return row;
}

std::string refusal(const json& args) {
    FakeSite site;
    try {
        Plugin plugin(site, args);
    } catch (const std::exception& e) {
        return e.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("each event becomes one line that says what was handled, and how") {
    sg::test::TempDir dir;
    FakeSite site;
    Plugin plugin(site, {{"file", dir / "events.jsonl"}}, "journal");
    plugin.handle(numbered(9007199254740993));
    plugin.handle(numbered(5), {.attempt = 3, .redelivered = true});
    auto lines = sg::test::read_journal(dir / "events.jsonl");
    REQUIRE(lines.size() == 2);
    const auto time = lines[0].at("time").get<std::string>();
    CHECK(time.size() == std::string("2026-03-04T05:06:07.123456Z").size());
    CHECK(time.ends_with('Z'));
    lines[0].erase("time");
    CHECK(lines[0] == json{{"plugin", "journal"},
                           {"callback", "record"},
                           {"event", 9007199254740993},
                           {"type", "Shotgun_Shot_Change"},
                           {"attribute", "code"},
                           {"attempt", 1},
                           {"redelivered", false}});
    CHECK(lines[1].at("attempt") == 3);
    CHECK(lines[1].at("redelivered") == true);
    CHECK(sg::test::journal_ids(dir / "events.jsonl", {{"redelivered", true}}) ==
          std::vector<std::int64_t>{5});
}

TEST_CASE("a record goes on where the last run of the plugin left it") {
    sg::test::TempDir dir;
    FakeSite site;
    for (sg::EventId id = 1; id <= 3; ++id) {
        Plugin plugin(site, {{"file", dir / "events.jsonl"}});
        plugin.handle(numbered(id));
    }
    CHECK(sg::test::journal_ids(dir / "events.jsonl") == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("lines of several processes that write one file never mix") {
    sg::test::TempDir dir;
    constexpr int processes = 4, events = 500;
    for (int p = 0; p < processes; ++p) {
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            FakeSite site;
            Plugin plugin(site, {{"file", dir / "events.jsonl"}});
            for (int i = 0; i < events; ++i) plugin.handle(numbered(p * events + i));
            ::_exit(0);
        }
    }
    for (int p = 0; p < processes; ++p) {
        int status = -1;
        REQUIRE(::wait(&status) > 0);
        CHECK(status == 0);
    }
    const auto ids = sg::test::journal_ids(dir / "events.jsonl");  // throws where a line is broken
    CHECK(ids.size() == processes * events);
    CHECK(std::set<std::int64_t>(ids.begin(), ids.end()).size() == processes * events);
}

TEST_CASE("what a kill left of a line is taken away, and what somebody else left stays") {
    sg::test::TempDir dir;
    const auto file = dir / "events.jsonl";
    const std::string whole = R"({"event": 1})";
    const auto long_line = R"({"text": ")" + std::string(10'000, 'x');
    std::string expected = whole + "\n";
    std::string left;
    SECTION("half a line") { left = expected + R"({"time": "2026-03-)"; }
    SECTION("a long one") { left = expected + long_line; }
    SECTION("nothing else") { left = R"({"event")", expected.clear(); }
    SECTION("no line of ours") {
        left = expected + "a note";
        expected = left + "\n";
    }
    SECTION("nothing") { left = expected; }
    std::ofstream(file) << left;
    FakeSite site;
    Plugin plugin(site, {{"file", file}});
    plugin.handle(numbered(7));
    std::ifstream in(file);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    REQUIRE(text.starts_with(expected));
    CHECK(json::parse(text.substr(expected.size())).at("event") == 7);
    CHECK(std::count(text.begin(), text.end(), '\n') ==
          std::count(expected.begin(), expected.end(), '\n') + 1);
}

TEST_CASE("a disk that takes half a line only fails the event, and the next line stands by itself") {
    sg::test::TempDir dir;
    const auto file = dir / "events.jsonl";
    FakeSite site;
    Plugin plugin(site, {{"file", file}});
    plugin.handle(numbered(1));
    // A limit on the size of files stands for the disk's end: the kernel writes as much as fits.
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto on_signal = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit full{std::filesystem::file_size(file) + 40, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
    const auto size = [&] { return std::filesystem::file_size(file); };
    CHECK_THROWS_WITH(plugin.handle(numbered(2)), Catch::Contains("part of a line"));
    CHECK(size() == full.rlim_cur);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, on_signal);
    plugin.handle(numbered(2));
    CHECK(sg::test::journal_ids(file) == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("a filter in the arguments narrows what is recorded") {
    sg::test::TempDir dir;
    FakeSite site;
    Plugin plugin(site,
                  {{"file", dir / "events.jsonl"}, {"filter", {{"Shotgun_Shot_Change", {"description"}}}}});
    CHECK(plugin.handle(numbered(1)) == 0);
}

TEST_CASE("a recorder without a usable file is refused and says why") {
    CHECK_THAT(refusal(nullptr), Catch::Contains("'file'"));
    CHECK_THAT(refusal({{"file", "events.jsonl"}}), Catch::Contains("absolute"));
    CHECK_THAT(refusal({{"file", 7}}), Catch::Contains("'file'"));
    CHECK_THAT(refusal({{"file", "/no/such/folder/events.jsonl"}}), Catch::Contains("/no/such/folder"));
}

TEST_CASE("an event that cannot be recorded fails, so that it is tried again") {
    FakeSite site;
    Plugin plugin(site, {{"file", "/dev/full"}});
    CHECK_THROWS_WITH(plugin.handle(numbered(1)), Catch::Contains("cannot record"));
}
