// What does a slow plugin cost the others, what is written for 100,000 events, how long until an event is
// settled on disk, what does it cost to be far behind, and to wait for an id that never comes?
//
//   bench_delivery [neighbours|writes|settling|behind|gap]     one question alone
//
// The daemon's own binary, its plugins in processes of their own. (C76, C81)

#include <fmt/format.h>
#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

#include "bench/daemon_run.hpp"
#include "bench/page_server.hpp"
#include "sandbox/site.hpp"

namespace {

using namespace sg;
using namespace sg::bench;
using Clock = std::chrono::steady_clock;

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

/// Until all but the last of `count` plugins have handled everything, from when all were there.
Seconds time_of_the_others(std::int64_t events, int count, const char* last) {
    const PageServer site(events);
    DaemonRun::Setup setup{.site = site.url()};
    for (int i = 1; i < count; ++i) setup.plugins.push_back({fmt::format("p{:02}", i), SG_PLUGIN_FILE});
    setup.plugins.push_back({"last", last});
    const DaemonRun daemon(setup);
    daemon.wait_for(0, count);
    const auto begun = Clock::now();
    daemon.wait_for(events, count - 1);
    return Clock::now() - begun;
}

void measure_neighbours(std::int64_t events, int count) {
    std::vector<double> ratios;
    for (int i = 0; i < 5; ++i) {
        const auto fast = time_of_the_others(events, count, SG_PLUGIN_FILE);
        ratios.push_back(time_of_the_others(events, count, SG_NAPPING_FILE) / fast);
    }
    std::sort(ratios.begin(), ratios.end());
    fmt::print(
        "{} plugins, {} events, one sleeps 50 ms on every fourth: the others take {:.2f} times the time "
        "(aim below 1.10; {:.2f} to {:.2f})\n",
        count, events, ratios[ratios.size() / 2], ratios.front(), ratios.back());
}

/// One line of /proc/PID/io.
std::int64_t io_of(int pid, const std::string& what) {
    std::ifstream in(fmt::format("/proc/{}/io", pid));
    std::string name;
    for (std::int64_t value = 0; in >> name >> value;)
        if (name == what + ":") return value;
    throw std::runtime_error("no figures of the daemon's writes");
}

void measure_writes() {
    constexpr std::int64_t events = 100'000;
    const PageServer site(events);
    const DaemonRun daemon({.site = site.url(), .plugins = {{"p", SG_PLUGIN_FILE}}});
    daemon.wait_for(0, 1);
    const auto begun = Clock::now();
    daemon.wait_for(events, 1);
    const Seconds took = Clock::now() - begun;
    const auto groups = daemon.metric("sgeventd_state_commits_total");
    fmt::print(
        "{} waiting events for one plugin: {:.0f} a second; {:.0f} events a commit, {:.0f} bytes written "
        "an event; {:.2f} s of CPU; daemon and host hold {:.1f} MB\n",
        events, static_cast<double>(events) / took.count(),
        static_cast<double>(events) / static_cast<double>(groups),
        static_cast<double>(io_of(daemon.pid(), "write_bytes")) / static_cast<double>(events),
        cpu_of(daemon.pid()).count(), [&] {
            double sum = 0;
            for (const auto kb : proportional_kb(daemon.pid())) sum += static_cast<double>(kb) / 1024;
            return sum;
        }());
}

/// When each event reached the plugin, of those that writes_time has noted.
std::map<std::int64_t, Clock::time_point> noted(const std::string& file) {
    std::map<std::int64_t, Clock::time_point> out;
    std::ifstream in(file);
    std::int64_t id = 0, ns = 0;
    while (in >> id >> ns) out.emplace(id, Clock::time_point(std::chrono::nanoseconds(ns)));
    return out;
}

void measure_settling() {
    constexpr int events = 600;
    const test::TempDir dir;
    const auto file = (dir / "notes").string();
    sandbox::Site site;
    const DaemonRun daemon({.site = site.url(),
                            .start = "latest",
                            .script = sandbox::Site::script,
                            .key = sandbox::Site::key,
                            .plugins = {{"notes", SG_NOTES_FILE, "args: {file: '" + file + "'}"}}});
    daemon.wait_for(0, 1);
    std::map<std::int64_t, Clock::time_point> settled;
    for (int i = 0; i < events; ++i) {
        const auto id = site.add_events(1, "Shotgun_Shot_Change");
        daemon.wait_for(id, 1);
        settled.emplace(id, Clock::now());
    }
    std::vector<double> delays;
    for (const auto& [id, at] : noted(file)) delays.push_back(ms(settled.at(id) - at));
    if (delays.size() != events) throw std::runtime_error("not every event came");
    std::sort(delays.begin(), delays.end());
    fmt::print(
        "callback to its settlement on disk, {} events one at a time: median {:.1f} ms, 99 of 100 within "
        "{:.1f} ms (aim 20), looked at every 2 ms\n",
        events, delays[events / 2], delays[events * 99 / 100]);
}

/// The most that the daemon ever held, MB.
double most_memory(std::int64_t events) {
    const PageServer site(events);
    const DaemonRun daemon({.site = site.url(), .plugins = {{"p", SG_PLUGIN_FILE}}});
    daemon.wait_for(events, 1);
    std::ifstream in(fmt::format("/proc/{}/status", daemon.pid()));
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    throw std::runtime_error("no figure of the daemon's memory");
}

void measure_behind() {
    const auto little = most_memory(10'000), much = most_memory(1'000'000);
    fmt::print(
        "most that the daemon holds, 10,000 events behind {:.1f} MB, 1,000,000 behind {:.1f} MB: {:.1f} MB "
        "more (aim 10)\n",
        little, much, much - little);
}

/// Two sites side by side, 20 events a second each; one has a hole that nothing fills.
void measure_gap() {
    constexpr int per_second = 20, seconds = 60;
    sandbox::Site whole, holed;
    const auto setup = [](const sandbox::Site& site) {
        return DaemonRun::Setup{.site = site.url(),
                                .of_site = "gap_timeout: 50s",
                                .start = "latest",
                                .script = sandbox::Site::script,
                                .key = sandbox::Site::key,
                                .plugins = {{"p", SG_PLUGIN_FILE}}};
    };
    const DaemonRun without(setup(whole)), with(setup(holed));
    for (auto* site : {&whole, &holed}) site->add_events(1, "Shotgun_Shot_Change");
    without.wait_for(0, 1);
    with.wait_for(0, 1);
    sandbox::EventSpec hidden;
    hidden.hidden = true;
    holed.add_event(hidden);
    const auto before = cpu_of(with.pid()) - cpu_of(without.pid());
    auto next = Clock::now();
    for (int i = 0; i < per_second * seconds; ++i) {
        for (auto* site : {&whole, &holed}) site->add_events(1, "Shotgun_Shot_Change");
        std::this_thread::sleep_until(next += std::chrono::milliseconds(1000 / per_second));
    }
    with.wait_for(holed.newest_id(), 1);
    if (with.metric("sgeventd_stream_gaps_closed_total") != 1)
        throw std::runtime_error("no gap was given up");
    const auto more = cpu_of(with.pid()) - cpu_of(without.pid()) - before;
    fmt::print(
        "an id that never comes, waited for for 50 s at {} events a second: {:.2f} s of CPU more than "
        "without ({:.2f} s in all; aim below 1)\n",
        per_second, more.count(), cpu_of(with.pid()).count());
}

}  // namespace

int main(int argc, char** argv) try {
    const std::string only = argc > 1 ? argv[1] : "";
    const auto is_wanted = [&](const char* question) { return only.empty() || only == question; };
    if (is_wanted("neighbours")) {
        measure_neighbours(10'000, 20);
        measure_neighbours(2'000, 10);
    }
    if (is_wanted("writes")) measure_writes();
    if (is_wanted("settling")) measure_settling();
    if (is_wanted("behind")) measure_behind();
    if (is_wanted("gap")) measure_gap();
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "bench: {}\n", error.what());
    return 1;
}
