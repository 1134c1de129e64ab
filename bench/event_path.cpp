// What does an event cost on its way from the site to settled, beside the least that reading it can cost?
//
// The daemon's own binary and its hosts are run twice, on few and on many events; the difference is what
// the additional events cost; with hundreds of plugins it is counted from when all are loaded, and the wall
// time has their loading in it. CPU is of the daemon and all its hosts together. The bare loop reads the
// same pages from the same server in the same run.

#include <fmt/format.h>
#include <stdexcept>

#include "bench/bare_loop.hpp"
#include "bench/daemon_run.hpp"
#include "bench/page_server.hpp"

namespace {

using namespace sg::bench;

constexpr std::int64_t few = 20'000, many = 220'000;
constexpr int hundreds = 100;  // of plugins, whose loading costs more than the events do, and never the same

struct Cost {
    Seconds cpu{}, wall{};
    std::vector<long> idle_kb;
    double reads = 0;  // of each page
};

struct Setup {
    int plugins;
    const char* isolation;
    bool matching;
};

Cost run_daemon(std::int64_t events, const Setup& setup) {
    const PageServer site(events);
    DaemonRun::Setup how{.site = site.url(), .isolation = setup.isolation};
    for (int i = 0; i < setup.plugins; ++i)
        how.plugins.push_back(
            {fmt::format("p{:04}", i), setup.matching ? SG_PLUGIN_FILE : SG_IDLE_PLUGIN_FILE});
    const auto cpu_before = cpu_of_ended_children();
    const auto begin = std::chrono::steady_clock::now();
    DaemonRun daemon(how);
    Seconds loaded{};
    if (setup.plugins >= hundreds) {
        // All have begun once each has a row; nothing is fetched before.
        daemon.wait_for(0, setup.plugins);
        loaded = cpu_of(daemon.pid());
    }
    daemon.wait_for(events, setup.plugins);
    Cost cost;
    cost.wall = std::chrono::steady_clock::now() - begin;
    const auto of_events = cpu_of(daemon.pid()) - loaded;
    cost.idle_kb = proportional_kb(daemon.pid());
    cost.reads = static_cast<double>(daemon.metric(R"(sgeventd_site_queries_total{kind="catch_up"})")) /
                 (static_cast<double>(events) / PageServer::page_size);
    daemon.stop();
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
    fmt::print("{:>4} {:<8} {:<9} {:>8.2f} {:>8.1f} {:>9.2f} {:>10.1f} {:>12.2f} {:>6.1f}\n", setup.plugins,
               setup.isolation, setup.matching ? "all" : "nothing", cpu, cpu / bare_us, wall,
               static_cast<double>(daemon_kb) / 1024,
               hosts > 0 ? static_cast<double>(hosts_kb) / 1024 / static_cast<double>(hosts) : 0.0,
               large.reads);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
    const double bare_us = bare();
    fmt::print("bare libcurl + simdjson loop, same pages, checks and fields: {:.2f} us of CPU per event\n\n",
               bare_us);
    fmt::print("{:>4} {:<8} {:<9} {:>8} {:>8} {:>9} {:>10} {:>12} {:>6}\n", "", "", "", "CPU us", "times",
               "wall us", "daemon", "each host", "reads");
    fmt::print("{:>4} {:<8} {:<9} {:>8} {:>8} {:>9} {:>10} {:>12} {:>6}\n", "plug", "isolated", "wanting",
               "/event", "bare", "/event", "PSS MB", "PSS MB", "/page");
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
