// The played production, and the program that plays it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <set>

#include "catch.hpp"
#include "cli/sandbox_command.hpp"
#include "raw_http.hpp"
#include "sandbox/production.hpp"
#include "temp_dir.hpp"
#include "util/clock.hpp"
#include "wait_for.hpp"
#include "whole_site.hpp"

namespace production_test {

using namespace sg;
using namespace sg::test;

TEST_CASE("the same seed plays the same production, another seed another") {
    const auto play = [](std::uint64_t seed) {
        sandbox::Site site;
        sandbox::Production production(site, {.seed = seed});
        std::string story;
        for (int i = 0; i < 200; ++i) {
            const auto c = production.step();
            story += c.kind + c.who + c.what + c.field + c.before + c.after + std::to_string(c.event) + "\n";
        }
        return story;
    };
    const auto first = play(7);
    CHECK(first == play(7));
    CHECK(first != play(8));
}

TEST_CASE("the same seed and the same times make the same rows and events") {
    const auto play = [](std::uint64_t seed) {
        ManualClock clock;
        sandbox::Site site({.clock = &clock});
        sandbox::Production production(site, {.seed = seed});
        std::mt19937 pauses(5);
        for (int i = 0; i < 200; ++i) {
            clock.advance(std::chrono::milliseconds(pauses() % 3000));
            production.step();
        }
        return whole_site(site.url());
    };
    const auto first = play(7);
    CHECK(first == play(7));
    CHECK(first != play(8));
}

TEST_CASE(
    "a production has everything that people do: statuses go forward, versions get notes and playlists") {
    sandbox::Site site;
    sandbox::Production production(site, {});
    std::set<std::string> fields;
    for (int i = 0; i < 1500; ++i) {
        const auto change = production.step();
        fields.insert(change.entity_type + "." + change.field);
        REQUIRE(change.event > 0);
    }
    for (const auto* kind : {"status", "reopened", "asset", "version", "review", "note", "reply", "closed",
                             "playlist", "rename", "assign"}) {
        INFO(kind);
        CHECK(production.counts()[kind] > 0);
    }
    RawClient client(site.url());
    const auto notes = client.rows("Note", {}, {"note_links", "replies", "project"});
    CHECK(std::any_of(notes.begin(), notes.end(), [](const Json& note) {
        return note["note_links"][0]["type"] == "Version" && !note["replies"].empty();
    }));
    const auto playlists = client.rows("Playlist", {}, {"versions", "code"});
    CHECK(playlists.size() > 3);
    for (const auto& playlist : playlists) CHECK(playlist["versions"].size() <= 8);
    CHECK(client.rows("Version", {condition("sg_status_list", "is", "apr")}, {"code"}).size() > 5);
    CHECK(client.rows("Version", {condition("entity", "type_is", "Asset")}, {"code"}).size() > 5);
    CHECK(client.rows("Project", {}, {"name"}).size() == 3);
}

TEST_CASE("a production goes on where its data file left it") {
    TempDir dir;
    sandbox::Site::Options options;
    options.data_file = dir / "studio.db";
    std::size_t shots = 0;
    {
        sandbox::Site site(options);
        sandbox::Production production(site, {.seed = 2});
        for (int i = 0; i < 400; ++i) production.step();
        shots = site.ids("Shot").size();
    }
    sandbox::Site site(options);
    sandbox::Production production(site, {.seed = 3});
    CHECK(production.shots() == shots);
    for (int i = 0; i < 400; ++i) REQUIRE(production.step().event > 0);
    CHECK(site.ids("Shot").size() == shots);
    CHECK(site.ids("Project").size() == 3);
    CHECK(site.ids("HumanUser").size() == 12);
    CHECK(site.ids("Step").size() == 7);
}

TEST_CASE("twenty seconds at the default rate finish at least 25 shots, with any seed") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        sandbox::Site site;
        sandbox::Production production(site, {.seed = seed});
        CHECK(production.shots() >= 60);
        for (int i = 0; i < static_cast<int>(20 * sandbox::Production::Options{}.rate); ++i)
            production.step();
        INFO("seed " << seed);
        CHECK(production.finished_shots().size() >= 25);
        CHECK(production.counts()["reopened"] > 0);
    }
}

TEST_CASE("a production never runs out of work, and the site shows what was played") {
    sandbox::Site site;
    std::uint64_t told = 0;
    sandbox::Production production(site, {.on_change = [&](const auto&) { ++told; }});
    RawClient client(site.url());
    for (int i = 0; i < 1200; ++i) {
        const auto change = production.step();
        if (change.kind != "status") continue;
        REQUIRE(site.value("Task", change.entity, "sg_status_list") == change.after);
    }
    CHECK(told == 1200);
    std::uint64_t counted = 0;
    for (const auto& [kind, count] : production.counts()) counted += count;
    CHECK(counted == 1200);
    const auto rows = client.rows("EventLogEntry",
                                  {condition("attribute_name", "is", "sg_status_list"),
                                   condition("event_type", "is", "Shotgun_Task_Change")},
                                  {"user", "meta", "entity"});
    REQUIRE(rows.size() == 500);
    std::set<std::string> people;
    for (const auto& row : rows) people.insert(row["user"]["name"].get<std::string>());
    CHECK(people.size() > 5);
    CHECK(rows[0]["user"]["type"] == "HumanUser");
}

TEST_CASE("a started production plays until it is stopped") {
    sandbox::Site site;
    sandbox::Production production(site, {.rate = 500});
    production.start();
    REQUIRE(wait_for([&] { return site.event_count() > 50; }));
    production.stop();
    const auto counted = production.counts();
    CHECK(production.counts() == counted);
    production.stop();
}

TEST_CASE("the sandbox program says where it is, plays, and ends with a signal") {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    std::cout.flush();  // or the child prints once more what this program has said
    std::fflush(stdout);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(pipe[1], 1);
        ::close(pipe[0]);
        cli::SandboxOptions options;
        options.rate = 200;
        options.scripts = {"daemon=first", "plugins=second"};
        ::_exit(cli::run_sandbox(options));
    }
    ::close(pipe[1]);
    std::string out;
    std::array<char, 4096> chunk{};
    while (out.find("(event ") == std::string::npos) {
        const auto got = ::read(pipe[0], chunk.data(), chunk.size());
        REQUIRE(got > 0);
        out.append(chunk.data(), static_cast<std::size_t>(got));
    }
    const auto url = out.substr(6, out.find('\n') - 6);
    CHECK(out.find("script: daemon\nscript: plugins\n") != std::string::npos);
    CHECK(out.find("first") == std::string::npos);
    RawClient client(url);
    const Json read{{"type", "EventLogEntry"}};
    CHECK(client.call("read", read, {{"script_name", "daemon"}, {"script_key", "first"}})
              .json()
              .contains("results"));
    CHECK(client.call("read", read).json()["error_code"] == 102);
    ::kill(child, SIGTERM);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    ::close(pipe[0]);
}

TEST_CASE("the sandbox program ends with 64 where the schema or the time zone is wrong") {
    cli::SandboxOptions options;
    options.time_zone = "Nowhere";
    CHECK(cli::run_sandbox(options) == 64);
    options.time_zone = "UTC0";
    TempDir folder;
    options.schema = (folder.path() / "schema.yaml").string();
    std::ofstream(options.schema) << "entities: {Shot: {display: code, fields: {code: texture}}}\n";
    CHECK(cli::run_sandbox(options) == 64);
}

}  // namespace production_test
