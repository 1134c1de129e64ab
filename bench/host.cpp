// What does a host cost: to start, to keep idle, and for an event there and back beside a bare socket echo?
//
// Hosts are those of the daemon, started by its plugin set, in processes of their own. The echo sends the
// bytes of the same frame both ways, in the same run, by turns with the host, so that a loaded machine
// slows both alike.

#include <algorithm>
#include <array>
#include <thread>

#include "bench/processes.hpp"
#include "bench/rig.hpp"
#include "bench/socket_echo.hpp"
#include "host/link/codec.hpp"
#include "tests/host/events.hpp"

namespace {

using namespace sg::bench;
using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double us_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

void starting() {
    Rig rig(SG_HOST);
    rig.add(SG_IDLE_PLUGIN_FILE, "idle");
    rig.start();
    rig.run_until([&] { return rig.ready() == 1; });
    std::vector<double> ms;
    for (std::size_t times = 1; times <= 50; ++times) {
        const auto begin = Clock::now();
        rig.load("idle");
        rig.run_until([&] { return rig.ready() == times + 1; });
        ms.push_back(us_since(begin) / 1000);
    }
    std::sort(ms.begin(), ms.end());
    fmt::print(
        "start to ready, file read and checked included: median {:.1f} ms, best {:.1f}, worst {:.1f} of {}\n",
        median(ms), ms.front(), ms.back(), ms.size());
}

void idling() {
    constexpr std::size_t hosts = 100;
    constexpr std::chrono::seconds time{5};
    Rig rig(SG_HOST);
    for (std::size_t i = 0; i < hosts; ++i) rig.add(SG_IDLE_PLUGIN_FILE, fmt::format("idle{:03}", i));
    const auto begin = Clock::now();
    rig.start();
    rig.run_until([&] { return rig.ready() == hosts; });
    const auto started = us_since(begin) / 1000;
    long kb = 0;
    Seconds before{}, after{};
    for (const auto& plugin : rig.status()) {
        kb += proportional_kb(plugin.pid).front();
        before += cpu_of(plugin.pid);
    }
    std::this_thread::sleep_for(time);  // what is measured is that time
    for (const auto& plugin : rig.status()) after += cpu_of(plugin.pid);
    fmt::print(
        "{} idle hosts: all ready after {:.0f} ms, {:.2f} MB each (PSS), {:.3f} ms of CPU in {} s together\n",
        hosts, started, static_cast<double>(kb) / 1024 / hosts, (after - before).count() * 1000,
        time.count());
}

/// The same events over and over: what they are does not matter to the way.
std::vector<sg::plugins::Delivery> batch_of(std::size_t events, std::size_t padding) {
    std::string bytes;
    std::vector<std::size_t> ends;
    std::vector<sg::event::EventRow> rows;
    for (std::size_t i = 0; i < events; ++i) {
        bytes += sg::test::make_event(static_cast<sg::EventId>(i + 1), "Fine", "sg_status_list", padding)
                     .row()
                     .raw;
        ends.push_back(bytes.size());
    }
    const std::string_view all = bytes;
    for (std::size_t i = 0; i < events; ++i) {
        const auto from = i == 0 ? 0 : ends[i - 1];
        rows.push_back({static_cast<sg::EventId>(i + 1), "Fine", "sg_status_list", 7, {}, {}});
        rows.back().raw = all.substr(from, ends[i] - from);
    }
    const auto page = std::make_shared<const sg::event::EventPage>(std::move(bytes), std::move(rows));
    std::vector<sg::plugins::Delivery> batch;
    for (std::size_t i = 0; i < events; ++i)
        batch.push_back({{page, static_cast<std::uint32_t>(i)}, {0}, 1, false});
    return batch;
}

void there_and_back(Rig& rig, std::size_t events, std::size_t padding) {
    // Each batch is of a page that the host has not seen for a while, as it is in life.
    std::vector<std::vector<sg::plugins::Delivery>> batches;
    for (int i = 0; i < 32; ++i) batches.push_back(batch_of(events, padding));
    std::size_t next = 0;
    const auto batch = [&] { return batches[next++ % batches.size()]; };
    std::string frame;
    if (!sg::host::encode(sg::host::ToHost(sg::host::Deliver{batch()}), frame))
        throw std::runtime_error("no frame");
    SocketEcho echo;
    auto& host = rig.serving("all");
    std::vector<double> ours, bare;
    // By turns, in blocks: within a block both sides are as warm as they get.
    constexpr std::size_t blocks = 40, block = 100;
    for (std::size_t b = 0; b < blocks; ++b) {
        for (std::size_t i = 0; i < block; ++i) {
            const auto begin = Clock::now();
            echo.there_and_back(frame);
            bare.push_back(us_since(begin));
        }
        std::size_t rounds = 0, ended = 0;
        Clock::time_point begin;
        rig.outcomes = [&](sg::plugins::Generation&, const std::vector<sg::plugins::Outcome>& list) {
            ended += list.size();
            if (ended < events) return;
            ours.push_back(us_since(begin));
            ended = 0;
            if (++rounds == block) return;
            auto again = batch();
            begin = Clock::now();
            host.deliver({std::move(again)});
        };
        auto first = batch();
        begin = Clock::now();
        host.deliver({std::move(first)});
        rig.run_until([&] { return rounds == block; });
        rig.outcomes = nullptr;
    }
    const double each = median(ours) / static_cast<double>(events),
                 echo_each = median(bare) / static_cast<double>(events);
    fmt::print("{:>6} {:>8} {:>10.2f} {:>10.2f} {:>8.1f}\n", events, frame.size() / events, each, echo_each,
               each / echo_each);
}

}  // namespace

int main() try {
    starting();
    idling();
    fmt::print("\n{:>6} {:>8} {:>10} {:>10} {:>8}\n{:>6} {:>8} {:>10} {:>10} {:>8}\n", "events", "bytes",
               "host us", "echo us", "", "/batch", "/event", "/event", "/event", "times");
    Rig rig(SG_HOST);
    rig.add(SG_PLUGIN_FILE, "all");
    rig.start();
    rig.run_until([&] { return rig.ready() == 1; });
    for (const std::size_t padding : {100U, 900U})
        for (const std::size_t events : {1U, 100U}) there_and_back(rig, events, padding);
    return 0;
} catch (const std::exception& e) {
    fmt::print(stderr, "bench: {}\n", e.what());
    return 1;
}
