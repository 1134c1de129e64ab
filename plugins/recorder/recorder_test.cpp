// The plugin on a real file, alone and in company.

#include <sys/wait.h>
#include <unistd.h>
#include <sg/testing.hpp>

#include <set>

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
