// The daemon is killed again and again under load: nothing is lost, and next to nothing is repeated.

#include <map>
#include <set>

#include "catch.hpp"
#include "e2e/daemon.hpp"

using namespace std::chrono_literals;
using sg::test::Daemon;
using sg::test::Home;
using sg::test::scripted;

namespace {

/// What the disk says of one plugin, read while no daemon runs.
struct OnDisk {
    std::int64_t cursor = 0;
    std::set<std::int64_t> pending;
};

std::map<std::string, OnDisk> read_state(const Home& home) {
    sqlite3* opened = nullptr;
    // Not read-only: after a kill SQLite first has to take in what stands in the log.
    REQUIRE(sqlite3_open((home.state() / "state.db").c_str(), &opened) == SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection(opened, sqlite3_close);
    std::map<std::string, OnDisk> state;
    const auto each = [&](const char* sql, auto&& row) {
        sqlite3_stmt* prepared = nullptr;
        REQUIRE(sqlite3_prepare_v2(opened, sql, -1, &prepared, nullptr) == SQLITE_OK);
        while (sqlite3_step(prepared) == SQLITE_ROW)
            row(reinterpret_cast<const char*>(sqlite3_column_text(prepared, 0)),
                sqlite3_column_int64(prepared, 1));
        sqlite3_finalize(prepared);
    };
    each("SELECT id, cursor FROM plugin",
         [&](const char* plugin, std::int64_t id) { state[plugin].cursor = id; });
    each("SELECT plugin, event FROM pending",
         [&](const char* plugin, std::int64_t id) { state[plugin].pending.insert(id); });
    return state;
}

/// The start of a call, or the end of one that ended well; the recorder writes one line for both.
struct Line {
    std::int64_t event = 0;
    bool started = true;
    bool ended = true;
    bool first_try = true;
};

std::vector<Line> read_lines(const Home& home, const std::string& plugin) {
    std::vector<Line> lines;
    for (const auto& line : sg::test::read_journal(home.journal(plugin)))
        lines.push_back({line.at("event").get<std::int64_t>(), line.value("phase", "start") == "start",
                         line.value("phase", "end") == "end",
                         line.at("attempt").get<int>() == 1 && !line.at("redelivered").get<bool>()});
    return lines;
}

bool alive(int pid) {
    const auto stat = sg::test::read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto state = stat.rfind(')');
    return state != std::string::npos && stat.size() > state + 2 && stat[state + 2] != 'Z';
}

struct Kill {
    std::map<std::string, OnDisk> disk;
    std::map<std::string, std::size_t> lines;  ///< of each plugin's journal at that moment
};

/// Kills the daemon, waits for its hosts to be gone, and says what was known then.
Kill kill(Daemon& daemon, const Home& home, const std::vector<std::string>& plugins) {
    const auto hosts = daemon.hosts();
    daemon.kill();
    for (const int host : hosts) CHECK(sg::test::wait_for([&] { return !alive(host); }));
    Kill moment;
    moment.disk = read_state(home);
    for (const auto& plugin : plugins) moment.lines[plugin] = read_lines(home, plugin).size();
    return moment;
}

/// A plugin's journal against what it must and may hold.
void check_journal(const Home& home, const std::string& plugin, std::int64_t first, std::int64_t last,
                   const std::vector<Kill>& kills) {
    INFO("plugin " << plugin);
    const auto lines = read_lines(home, plugin);

    std::set<std::int64_t> handled;
    std::int64_t newest = 0;
    std::size_t out_of_order = 0, outside = 0;
    for (const auto& line : lines) {
        if (line.ended) handled.insert(line.event);
        outside += line.event < first || line.event > last ? 1 : 0;
        if (!line.started || !line.first_try) continue;
        out_of_order += line.event <= newest ? 1 : 0;
        newest = line.event;
    }
    CHECK(handled.size() == static_cast<std::size_t>(last - first + 1));
    CHECK(outside == 0);
    CHECK(out_of_order == 0);

    // Which call of an event that had ended well was made again, and was that one the kill excuses?
    std::map<std::int64_t, std::size_t> run_of_end;
    std::size_t run = 0, repeated = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        while (run < kills.size() && i >= kills[run].lines.at(plugin)) ++run;
        if (!lines[i].ended) continue;
        const auto [known, is_new] = run_of_end.emplace(lines[i].event, run);
        if (is_new) continue;
        ++repeated;
        INFO("event " << lines[i].event << " ended in run " << known->second << " and again in run " << run);
        REQUIRE(known->second < run);
        const auto& disk = kills[known->second].disk.at(plugin);
        CHECK((lines[i].event > disk.cursor || disk.pending.count(lines[i].event) == 1));
        CHECK_FALSE(lines[i].first_try);
        known->second = run;
    }
    // One that takes 20 ms an event can have finished a few within the last commit, no more.
    if (plugin == "slow") CHECK(repeated <= 10 * kills.size());
    WARN(plugin << ": " << repeated << " of " << handled.size() << " repeated over " << kills.size()
                << " kills");
}

void run(const std::string& isolation, const std::vector<std::string>& names) {
    sg::sandbox::Site site;
    std::vector<sg::test::TestPlugin> plugins;
    for (const auto& name : names) {
        if (name == "recorder") plugins.push_back(sg::test::recorder());
        if (name == "slow") plugins.push_back(scripted(name, {{"rules", {{{"do", "sleep"}, {"ms", 20}}}}}));
        if (name == "throwing")
            plugins.push_back(
                scripted(name, {{"rules", {{{"every", 10}, {"attempts", 1}, {"do", "throw"}}}}}));
        if (name == "crashing")
            plugins.push_back(
                scripted(name, {{"rules", {{{"every", 100}, {"attempts", 1}, {"do", "crash"}}}}}));
    }
    const Home home(site, plugins,
                    {{"plugin_defaults", {{"isolation", isolation}}}, {"log", {{"level", "info"}}}});

    auto daemon = std::make_unique<Daemon>(home);
    REQUIRE(daemon->wait_until_followed(names));
    const auto first = site.add_events(1000, "Shotgun_Shot_Change", "code");
    const auto last = first + 999;

    std::vector<Kill> kills;
    for (const std::int64_t progress : {60, 220, 400, 640, 860}) {
        INFO(daemon->log());
        REQUIRE(daemon->wait_for_cursor("slow", first + progress));
        kills.push_back(kill(*daemon, home, names));
        daemon = std::make_unique<Daemon>(home);
    }
    for (const auto& name : names) {
        INFO(daemon->log());
        REQUIRE(daemon->wait_for_cursor(name, last, 120s));
        REQUIRE(sg::test::wait_for([&] { return daemon->pending(name) == 0; }, 120s));
    }
    CHECK(daemon->terminate() == sg::test::Ended{0, 0});
    for (const auto& name : names) check_journal(home, name, first, last, kills);
}

}  // namespace

TEST_CASE(
    "a daemon killed five times has every callback have every event, and repeats only what was in hand") {
    run("process", {"recorder", "slow", "throwing", "crashing"});
}

TEST_CASE("the same holds where plugins run in threads of the daemon") {
    run("thread", {"recorder", "slow", "throwing"});
}
