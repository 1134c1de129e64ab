// What does an event cost on its way from the site to settled, beside the least that reading it can cost?
//
// The daemon's own binary and its hosts are run twice, on few and on many events; the difference is what
// the additional events cost; with hundreds of plugins it is counted from when all are loaded, and the wall
// time has their loading in it. CPU is of the daemon and all its hosts together. The bare loop reads the
// same pages from the same server in the same run.

#include <fmt/format.h>
#include <sqlite3.h>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "bench/bare_loop.hpp"
#include "bench/page_server.hpp"
#include "bench/processes.hpp"
#include "tests/temp_dir.hpp"

namespace {

using namespace sg::bench;

constexpr std::int64_t few = 20'000, many = 220'000;
constexpr int hundreds = 100;  // of plugins, whose loading costs more than the events do, and never the same

struct Cost {
    Seconds cpu{}, wall{};
    std::vector<long> idle_kb;
};

struct Setup {
    int plugins;
    const char* isolation;
    bool matching;
};

void write_config(const sg::test::TempDir& dir, const std::string& url, const Setup& setup) {
    std::filesystem::create_directories(dir / "plugins");
    for (int i = 0; i < setup.plugins; ++i)
        std::filesystem::copy_file(setup.matching ? SG_PLUGIN_FILE : SG_IDLE_PLUGIN_FILE,
                                   dir / "plugins" / fmt::format("p{:04}.so", i));
    std::ofstream out(dir / "sgeventd.yaml");
    out << fmt::format(
        "site:\n  url: {}\n  credential: bench\ncredentials:\n  bench: {{script: bench, key: bench}}\n"
        "collections: [{}]\nplugin_defaults: {{isolation: {}, start: earliest, credential: bench}}\n"
        "state_dir: {}\ncache_dir: {}\nlog: {{level: warning}}\n",
        url, (dir / "plugins").string(), setup.isolation, (dir / "state").string(), (dir / "cache").string());
}

/// How many plugins have everything up to `id` behind them.
int arrived(const std::string& file, std::int64_t id) {
    sqlite3* db = nullptr;
    int count = 0;
    if (::sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
        sqlite3_stmt* ask = nullptr;
        if (::sqlite3_prepare_v2(db, "SELECT count(*) FROM plugin WHERE cursor >= ?", -1, &ask, nullptr) ==
            SQLITE_OK) {
            ::sqlite3_bind_int64(ask, 1, id);
            if (::sqlite3_step(ask) == SQLITE_ROW) count = ::sqlite3_column_int(ask, 0);
        }
        ::sqlite3_finalize(ask);
    }
    ::sqlite3_close(db);
    return count;
}

Cost run_daemon(std::int64_t events, const Setup& setup) {
    const PageServer site(events);
    const sg::test::TempDir dir;
    write_config(dir, site.url(), setup);
    const auto cpu_before = cpu_of_ended_children();
    const auto begin = std::chrono::steady_clock::now();
    const int pid =
        start({SG_DAEMON, "run", "--config", (dir / "sgeventd.yaml").string()}, (dir / "log").string());
    const auto state = (dir / "state" / "state.db").string();
    const auto limit = begin + std::chrono::minutes(3);
    Seconds loaded{};
    if (setup.plugins >= hundreds) {
        // All have begun once each has a row; nothing is fetched before.
        while (arrived(state, 0) < setup.plugins && std::chrono::steady_clock::now() < limit)
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        loaded = cpu_of(pid);
    }
    while (arrived(state, events) < setup.plugins) {
        if (std::chrono::steady_clock::now() > limit) {
            stop(pid);
            std::ifstream log(dir / "log");
            throw std::runtime_error("the daemon did not arrive: " +
                                     std::string(std::istreambuf_iterator<char>(log), {}));
        }
        std::this_thread::sleep_for(
            std::chrono::milliseconds(2));  // measures a wall time, so it may look often
    }
    Cost cost;
    cost.wall = std::chrono::steady_clock::now() - begin;
    const auto of_events = cpu_of(pid) - loaded;
    cost.idle_kb = proportional_kb(pid);
    if (stop(pid) != 0) throw std::runtime_error("the daemon did not end well");
    cost.cpu = setup.plugins < hundreds ? cpu_of_ended_children() - cpu_before : of_events;
    return cost;
}

double us(Seconds t, std::int64_t n) { return t.count() * 1e6 / static_cast<double>(n); }

double bare() {
    const PageServer site(many);
    read_everything(site.url());  // once to warm up
    const auto before = cpu_of_this_process();
    const auto rows = read_everything(site.url());
    if (rows != many) throw std::runtime_error("the bare loop missed rows");
    return us(cpu_of_this_process() - before, many);
}

void measure(const Setup& setup, double bare_us) {
    const bool alone = setup.plugins >= hundreds;
    const Cost small = alone ? Cost{} : run_daemon(few, setup), large = run_daemon(many, setup);
    const auto events = alone ? many : many - few;
    const double cpu = us(large.cpu - small.cpu, events), wall = us(large.wall - small.wall, events);
    long daemon_kb = large.idle_kb.front(), hosts_kb = 0;
    for (std::size_t i = 1; i < large.idle_kb.size(); ++i) hosts_kb += large.idle_kb[i];
    const auto hosts = static_cast<long>(large.idle_kb.size()) - 1;
    fmt::print("{:>4} {:<8} {:<9} {:>8.2f} {:>8.1f} {:>9.2f} {:>10.1f} {:>12.2f}\n", setup.plugins,
               setup.isolation, setup.matching ? "all" : "nothing", cpu, cpu / bare_us, wall,
               static_cast<double>(daemon_kb) / 1024,
               hosts > 0 ? static_cast<double>(hosts_kb) / 1024 / static_cast<double>(hosts) : 0.0);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
    const double bare_us = bare();
    fmt::print("bare libcurl + simdjson loop, same pages, checks and fields: {:.2f} us of CPU per event\n\n",
               bare_us);
    fmt::print("{:>4} {:<8} {:<9} {:>8} {:>8} {:>9} {:>10} {:>12}\n", "", "", "", "CPU us", "times",
               "wall us", "daemon", "each host");
    fmt::print("{:>4} {:<8} {:<9} {:>8} {:>8} {:>9} {:>10} {:>12}\n", "plug", "isolated", "wanting", "/event",
               "bare", "/event", "PSS MB", "PSS MB");
    if (argc == 4) {  // one setup alone, for a profiler: PLUGINS ISOLATION all|nothing
        measure({std::atoi(argv[1]), argv[2], std::string(argv[3]) == "all"}, bare_us);
        return 0;
    }
    for (const char* isolation : {"process", "thread"})
        for (const int plugins : {1, 10}) measure({plugins, isolation, false}, bare_us);
    measure({1000, "thread", false}, bare_us);
    for (const char* isolation : {"process", "thread"})
        for (const int plugins : {1, 10, 50}) measure({plugins, isolation, true}, bare_us);
    return 0;
} catch (const std::exception& e) {
    fmt::print(stderr, "bench: {}\n", e.what());
    return 1;
}
