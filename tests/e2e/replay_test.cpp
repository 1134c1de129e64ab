// Events of the past, at a terminal.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;

namespace {

test::Said replay(const Home& home, std::vector<std::string> words) {
    words.insert(words.begin(), "replay");
    return test::command(home, std::move(words));
}

/// The lines that `--output json` printed, of one kind.
std::vector<nlohmann::json> lines(const test::Said& said, const std::string& what) {
    std::vector<nlohmann::json> all;
    std::istringstream in(said.out);
    for (std::string line; std::getline(in, line);) {
        auto one = nlohmann::json::parse(line);
        if (one.at("what") == what) all.push_back(std::move(one));
    }
    return all;
}

void add_shots(sandbox::Site& site) {
    for (const std::int64_t id : {101, 105}) {
        auto spec = event(id);
        spec.attribute_name = id == 101 ? "sg_status_list" : "code";
        site.add_event(spec);
    }
}

const nlohmann::json only_status{{"Shotgun_Shot_Change", {"sg_status_list"}}};

}  // namespace

TEST_CASE("C141 a replay says what would match and why the rest would not, names missing ids, calls nobody") {
    sandbox::Site site;
    add_shots(site);
    const Home home(site, {test::recorder(), test::scripted("status", {{"filter", only_status}})});
    const auto said = replay(home, {"101", "105", "999999", "--output", "json"});
    INFO(said.out + said.error);
    CHECK(said.ended == Ended{65, 0});
    CHECK(lines(said, "event").size() == 2);
    const auto matches = lines(said, "match");
    REQUIRE(matches.size() == 3);  // the recorder twice
    const auto rest = lines(said, "no_match");
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].at("plugin") == "status");
    CHECK(rest[0].at("why") == "of this type it wants sg_status_list alone, not code");
    const auto missing = lines(said, "missing");
    REQUIRE(missing.size() == 1);
    CHECK(missing[0] == nlohmann::json{{"what", "missing"}, {"first", 999999}, {"last", 999999}});
    CHECK(test::read_journal(home.journal()).empty());
    CHECK(test::read_journal(home.journal("status")).empty());
    CHECK_FALSE(std::filesystem::exists(home.state()));

    const auto text = replay(home, {"100-106", "--plugin", "status", "--all"});
    INFO(text.out);
    CHECK(text.out.find("  + status: scripted\n") != std::string::npos);
    CHECK(text.out.find("  - status: scripted: of this type it wants") != std::string::npos);
    CHECK(text.out.find("102-104  not on the site") != std::string::npos);
    CHECK(text.out.find("recorder") == std::string::npos);
    CHECK(text.out.find("2 events, 1 calls wanted, 0 failed, 5 ids missing. No callback was called.") !=
          std::string::npos);
}

TEST_CASE("C142 with --execute callbacks run, and what they want to change is shown and not made") {
    sandbox::Site site;
    const auto project = site.add("Project", {{"name", "show"}});
    const auto shot = site.add(
        "Shot",
        {{"code", "sh010"}, {"sg_status_list", "wtg"}, {"project", {{"type", "Project"}, {"id", project}}}});
    auto spec = event(101);
    spec.entity = {{"type", "Shot"}, {"id", shot}};
    site.add_event(spec);
    const std::string id = "101";
    const Home home(
        site, {test::scripted("updates",
                              {{"rules", {{{"do", "update"}, {"data", {{"sg_status_list", "fin"}}}}}}})});
    const auto said = replay(home, {id, "--execute"});
    INFO(said.out + said.error);
    CHECK(said.ended == Ended{0, 0});
    CHECK(said.out.find("would update Shot " + std::to_string(shot) +
                        "\n        sg_status_list: \"wtg\" -> \"fin\"\n") != std::string::npos);
    CHECK(said.out.find("updates: scripted: done in ") != std::string::npos);
    CHECK(test::journal_ids(home.journal("updates"), {{"phase", "end"}}).size() == 1);
    CHECK(site.value("Shot", shot, "sg_status_list") == "wtg");
    CHECK_FALSE(std::filesystem::exists(home.state()));

    const auto written = replay(home, {id, "--execute", "--write"});
    CHECK(written.ended == Ended{0, 0});
    CHECK(site.value("Shot", shot, "sg_status_list") == "fin");
}

TEST_CASE("C144 a replay beside a running daemon changes nothing of it") {
    sandbox::Site site;
    add_shots(site);
    Home home(site, {test::recorder()});
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"recorder"}));
    site.add_events(2, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(home, 2));
    REQUIRE(daemon.wait_for_cursor("recorder", 107));
    const auto said = replay(home, {"101-107"});
    CHECK(said.out.find("4 events, 4 calls wanted") != std::string::npos);
    CHECK(daemon.cursor("recorder") == 107);
    CHECK(test::journal_ids(home.journal()).size() == 2);
    CHECK(daemon.terminate() == Ended{0, 0});
}

TEST_CASE("a replay tells of a callback that fails and of a plugin that crashes or is none") {
    sandbox::Site site;
    add_shots(site);
    const Home home(site,
                    {test::scripted("throws", {{"rules", {{{"do", "throw"}, {"text", "no such codec"}}}}}),
                     test::scripted("crashes", {{"rules", {{{"do", "abort"}}}}})});
    const auto said = replay(home, {"101", "105", "--execute"});
    INFO(said.out + said.error);
    CHECK(said.ended == Ended{65, 0});
    CHECK(said.out.find("throws: scripted: failed after ") != std::string::npos);
    CHECK(said.out.find("no such codec") != std::string::npos);
    CHECK(said.out.find("crashes: its process ended: killed by SIGABRT; it is left out from here on") !=
          std::string::npos);
    CHECK(test::journal_ids(home.journal("crashes"), {{"phase", "start"}}).size() == 1);

    const auto broken = std::filesystem::path(SG_BAD_PLUGINS) / "plugins/no_entry.so";
    const auto refused = replay(home, {"101", "--library", broken.string()});
    CHECK(refused.ended == Ended{65, 0});
    CHECK(refused.error.find("no_entry is not loaded: ") != std::string::npos);
    CHECK(replay(home, {"101", "--plugin", "stranger"}).error ==
          "sgeventd: no collection has a plugin called stranger\n");
    CHECK(replay(home, {"10-5"}).ended == Ended{64, 0});
    CHECK(replay(home, {"101", "--write"}).ended == Ended{64, 0});
}

TEST_CASE("a replay of a span of time offers what was created in it, page for page, whatever its id") {
    sandbox::Site site;
    const auto noon = std::chrono::sys_days(std::chrono::March / 4 / 2026) + std::chrono::hours(12);
    const auto add = [&](std::int64_t id, std::chrono::seconds after_noon) {
        auto spec = event(id);
        spec.created_at = std::chrono::time_point_cast<std::chrono::seconds>(noon) + after_noon;
        site.add_event(spec);
    };
    add(99, std::chrono::seconds(-1));
    for (std::int64_t id = 100; id < 1300; ++id) add(id, std::chrono::seconds(id - 100));
    add(1300, std::chrono::seconds(-5));  // was long in the making
    add(1301, std::chrono::seconds(5));
    const Home home(site, {test::recorder()});
    const auto ids = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--output", "json"});
        const auto said = replay(home, words);
        INFO(said.error);
        CHECK(said.ended == Ended{0, 0});
        CHECK(lines(said, "missing").empty());
        std::vector<std::int64_t> all;
        for (const auto& line : lines(said, "event")) all.push_back(line.at("event").get<std::int64_t>());
        return all;
    };
    CHECK(ids({"--since", "2026-03-04T12:00:02Z", "--until", "2026-03-04T12:00:06Z"}) ==
          std::vector<std::int64_t>{102, 103, 104, 105, 1301});
    const auto since_noon = ids({"--since", "2026-03-04T12:00:00Z"});
    REQUIRE(since_noon.size() == 1201);  // three pages
    CHECK(since_noon.front() == 100);
    CHECK(since_noon.back() == 1301);
    CHECK(ids({"--since", "2026-03-04"}).size() == 1203);
    CHECK(ids({"--since", "2026-03-05"}).empty());

    CHECK(replay(home, {"--since", "noon"}).error ==
          "sgeventd: 'noon' is no time: 2026-03-04T05:06:07Z, 2026-03-04, or 2h for two hours ago\n");
    CHECK(replay(home, {"--since", "2026-03-04", "--until", "2026-03-04"}).error ==
          "sgeventd: --until is not after --since\n");
    for (const auto& words : {std::vector<std::string>{"--since", "noon"},
                              {"--until", "2026-03-04"},
                              {"--since", "2h", "101"},
                              {"--since", "2h", "--file", "events.jsonl"}})
        CHECK(replay(home, words).ended == Ended{64, 0});
}

TEST_CASE("a replay whose output goes to a file shows on the terminal how far it is") {
    sandbox::Site site;
    add_shots(site);
    const Home home(site, {test::recorder()});
    const auto typescript = home.path() / "typescript";
    const auto run = "exec " SG_PROGRAM " replay 101-105 --config " + home.config_file().string() + " > " +
                     (home.path() / "out").string();
    test::Process terminal({"/usr/bin/script", "-qec", run, typescript.string()}, {},
                           home.path() / "script.out", home.path() / "script.out");
    const auto ended = terminal.wait(std::chrono::seconds(60)).value_or(Ended{});
    CHECK(ended == Ended{65, 0});  // three ids are missing
    const auto shown = test::read_file(typescript);
    INFO(shown);
    CHECK(shown.find("replay: 1 events of at most 5, at 101 of ") != std::string::npos);
    CHECK(test::read_file(home.path() / "out").find("2 events, 2 calls wanted") != std::string::npos);
}
