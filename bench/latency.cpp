// How long after it was written on the site does an event reach a callback, by the site's webhook, too; how
// often is an idle site asked, and what does it help to ask for several pages at once where a page takes 100
// ms?
//
// The daemon's own binary at its default settings, with a plugin in a process of its own, beside a sandbox.
// Times are wall times: there is nothing to do but wait.

#include <fmt/format.h>
#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

#include "bench/processes.hpp"
#include "sandbox/site.hpp"
#include "tests/temp_dir.hpp"

namespace {

using namespace sg;
using Clock = std::chrono::steady_clock;
using bench::Seconds;

/// A daemon with the plugin, and what that noted.
class Daemon {
public:
    Daemon(const sandbox::Site& site, const std::string& more_of_site, const std::string& start,
           const std::string& more = {}) {
        std::filesystem::create_directories(dir_ / "plugins");
        std::filesystem::copy_file(SG_PLUGIN_FILE, dir_ / "plugins" / "notes.so");
        std::ofstream(dir_ / "sgeventd.yaml") << fmt::format(
            "site: {{url: '{}', credential: bench{}}}\ncredentials: {{bench: {{script: {}, key: {}}}}}\n"
            "collections: [{}]\nplugins: {{notes: {{start: {}, args: {{file: '{}'}}}}}}\n"
            "state_dir: {}\ncache_dir: {}\n{}",
            site.url(), more_of_site, sandbox::Site::script, sandbox::Site::key, (dir_ / "plugins").string(),
            start, (dir_ / "notes").string(), (dir_ / "state").string(), (dir_ / "cache").string(), more);
        pid_ = bench::start({SG_DAEMON, "run", "--config", (dir_ / "sgeventd.yaml").string()},
                            (dir_ / "log").string());
    }
    ~Daemon() { bench::stop(pid_); }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    std::map<std::int64_t, Clock::time_point> noted() const {
        std::map<std::int64_t, Clock::time_point> out;
        std::ifstream in(dir_ / "notes");
        std::int64_t id = 0, ns = 0;
        while (in >> id >> ns) out.emplace(id, Clock::time_point(std::chrono::nanoseconds(ns)));
        return out;
    }
    /// Throws where it takes too long.
    void wait_for(std::size_t events, std::chrono::seconds at_most) const {
        for (const auto end = Clock::now() + at_most; noted().size() < events;) {
            if (Clock::now() > end) throw std::runtime_error("the events did not come");
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }

    /// Where it listens to the webhook, once it does.
    std::string webhook() const {
        const std::string before = "[WEBHOOK] Listening to the site's webhook. address=127.0.0.1:0 port=";
        for (const auto end = Clock::now() + std::chrono::seconds(60); Clock::now() < end;) {
            std::ifstream file(dir_ / "log");
            const std::string log(std::istreambuf_iterator<char>(file), {});
            if (const auto at = log.find(before); at != std::string::npos)
                return fmt::format("http://127.0.0.1:{}/",
                                   std::strtol(log.c_str() + at + before.size(), nullptr, 10));
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        throw std::runtime_error("the daemon listens to no webhook");
    }

private:
    test::TempDir dir_;
    int pid_ = 0;
};

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

void measure_latency() {
    constexpr int per_second = 20, seconds = 60;
    sandbox::Site site;
    Daemon daemon(site, "", "latest");
    std::map<std::int64_t, Clock::time_point> written;
    const auto write = [&] {
        const auto now = Clock::now();
        written.emplace(site.add_events(1, "Shotgun_Shot_Change"), now);
    };
    while (daemon.noted().empty()) {  // the first one that it is there for
        write();
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    const auto first = site.newest_id();
    for (auto next = Clock::now(); written.size() < per_second * seconds + 20;
         next += std::chrono::milliseconds(1000 / per_second)) {
        std::this_thread::sleep_until(next);
        write();
    }
    std::vector<double> delays;
    std::this_thread::sleep_for(std::chrono::seconds(3));
    for (const auto& [id, at] : daemon.noted())
        if (id > first + 1) delays.push_back(ms(at - written.at(id)));
    if (delays.size() < per_second * (seconds - 5)) throw std::runtime_error("too few events came");
    std::sort(delays.begin(), delays.end());
    fmt::print(
        "written to entered, {} events a second for {} s: median {:.0f} ms (aim 500), worst {:.0f} ms (aim "
        "1500)\n",
        per_second, seconds, delays[delays.size() / 2], delays.back());
    // The pause grows to its ceiling as the time without events does.
    std::this_thread::sleep_for(std::chrono::seconds(60));
    const auto before = site.request_count();
    std::this_thread::sleep_for(std::chrono::seconds(60));
    const auto asked = site.request_count() - before;
    fmt::print("queries of an idle site in 60 s, a minute after the last event: {} (aim 12)\n", asked);
}

/// At the default settings, each event when the one before it has come and some time has passed.
void measure_webhook() {
    constexpr std::size_t events = 100;
    sandbox::Site site;
    Daemon daemon(site, "", "earliest", "webhook: {address: '127.0.0.1:0', token: bench-token}\n");
    site.add_webhook({.url = daemon.webhook(), .token = "bench-token"});
    std::map<std::int64_t, Clock::time_point> written;
    for (std::size_t i = 1; i <= events; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(97 + i % 7 * 31));
        const auto now = Clock::now();
        written.emplace(site.add_events(1, "Shotgun_Shot_Change"), now);
        daemon.wait_for(i, std::chrono::seconds(60));
    }
    std::vector<double> delays;
    for (const auto& [id, at] : daemon.noted()) delays.push_back(ms(at - written.at(id)));
    std::sort(delays.begin(), delays.end());
    fmt::print("written to entered, by the webhook: median {:.1f} ms (aim 50), worst {:.1f} ms\n",
               delays[delays.size() / 2], delays.back());
}

double catch_up(int queries) {
    constexpr std::size_t events = 20'000;
    sandbox::Site site;
    site.add_events(events, "Shotgun_Shot_Change");
    site.inject(sandbox::Fault::honest().after(std::chrono::milliseconds(100)).until_cleared());
    const auto begun = Clock::now();
    Daemon daemon(site, fmt::format(", catch_up_queries: {}", queries), "earliest");
    daemon.wait_for(events, std::chrono::seconds(60));
    Clock::time_point last = begun;
    Clock::time_point first = Clock::time_point::max();
    for (const auto& [id, at] : daemon.noted()) {
        last = std::max(last, at);
        first = std::min(first, at);
    }
    return Seconds(last - first).count();
}

}  // namespace

int main() {
    const auto one = catch_up(1), six = catch_up(6);
    fmt::print(
        "20,000 events from a site that takes 100 ms a page: {:.2f} s one page at a time, {:.2f} s six: "
        "{:.1f} "
        "times as quick (aim 4)\n",
        one, six, one / six);
    measure_webhook();
    measure_latency();
}
