#include <sys/socket.h>
#include <atomic>

#include "catch.hpp"
#include "host/events.hpp"
#include "host/link/memory_channel.hpp"
#include "host/link/socket_channel.hpp"
#include "util/thread.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace sg::host;
using namespace std::chrono_literals;

namespace {

struct Ends {
    std::unique_ptr<DaemonChannel> daemon;
    std::unique_ptr<HostChannel> host;
};

Ends make_ends(Loop& loop, bool in_memory) {
    if (in_memory) {
        auto link = make_memory_link(loop);
        return {std::move(link.daemon), std::move(link.host)};
    }
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    return {std::make_unique<SocketDaemonChannel>(loop, UniqueFd(pair[0])),
            std::make_unique<SocketHostChannel>(UniqueFd(pair[1]))};
}

}  // namespace

TEST_CASE("a link carries messages both ways, in order, over a socket and in memory") {
    for (const bool in_memory : {false, true}) {
        DYNAMIC_SECTION((in_memory ? "memory" : "socket")) {
            SystemClock clock;
            Loop loop(clock);
            auto ends = make_ends(loop, in_memory);
            std::vector<std::uint64_t> came;
            bool ended = false;
            ends.daemon->open({[&](FromHost message) { came.push_back(std::get<LogDropped>(message).lines); },
                               [&](std::optional<Failure> why) { ended = !why; }});
            constexpr std::uint64_t many = 5000;
            std::atomic<EventId> received = 0;
            auto host = start_thread("host", [&](std::stop_token) {
                for (std::uint64_t i = 0; i < many; ++i) ends.host->send(LogDropped{i});
                while (received < 1000) {
                    const auto now = ends.host->receive(std::nullopt);
                    if (!now.message) return;
                    for (const auto& one : std::get<Deliver>(*now.message).batch)
                        if (one.event.id() == received + 1) ++received;
                }
                ends.host.reset();
            });
            // More than a socket's buffer holds: the daemon goes on at once all the same.
            for (EventId id = 1; id <= 1000; id += 100) {
                Deliver deliver;
                for (EventId i = id; i < id + 100; ++i)
                    deliver.batch.push_back({test::make_event(i, "T", "", 4000), {0}, 1, false});
                ends.daemon->send(std::move(deliver));
            }
            CHECK(test::wait_for([&] {
                loop.run_ready();
                return came.size() == many && received == 1000 && ended;
            }));
            CHECK(std::is_sorted(came.begin(), came.end()));
        }
    }
}

TEST_CASE("a host sees the end of its link while it waits") {
    for (const bool in_memory : {false, true}) {
        DYNAMIC_SECTION((in_memory ? "memory" : "socket")) {
            SystemClock clock;
            Loop loop(clock);
            auto ends = make_ends(loop, in_memory);
            ends.daemon->open({[](FromHost) {}, [](std::optional<Failure>) {}});
            std::atomic<bool> saw = false;
            auto host =
                start_thread("host", [&](std::stop_token) { saw = ends.host->receive(std::nullopt).ended; });
            ends.daemon->close();
            CHECK(test::wait_for([&] { return saw.load(); }));
            CHECK_FALSE(ends.host->send(LogDropped{1}));
        }
    }
}

TEST_CASE("waiting for a message ends with the time or a wake-up") {
    for (const bool in_memory : {false, true}) {
        DYNAMIC_SECTION((in_memory ? "memory" : "socket")) {
            SystemClock clock;
            Loop loop(clock);
            auto ends = make_ends(loop, in_memory);
            const auto timed_out = ends.host->receive(1ms);
            CHECK_FALSE(timed_out.message);
            CHECK_FALSE(timed_out.ended);
            ends.host->wake();
            const auto woken = ends.host->receive(std::nullopt);
            CHECK_FALSE(woken.message);
            CHECK_FALSE(woken.ended);
        }
    }
}

TEST_CASE("a log line is dropped rather than waited for when the daemon is behind") {
    for (const bool in_memory : {false, true}) {
        DYNAMIC_SECTION((in_memory ? "memory" : "socket")) {
            SystemClock clock;
            Loop loop(clock);
            auto ends = make_ends(loop, in_memory);
            int sent = 0;
            while (sent < 1'000'000 && ends.host->send(LogLine{LogLevel::info, std::string(500, 'x'), {}, 0},
                                                       HostChannel::WhenFull::drop))
                ++sent;
            CHECK(sent > 100);
            CHECK(sent < 1'000'000);
        }
    }
}

TEST_CASE("garbage from a host ends the link with the reason") {
    SystemClock clock;
    Loop loop(clock);
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    SocketDaemonChannel daemon(loop, UniqueFd(pair[0]));
    const UniqueFd host(pair[1]);
    std::optional<Failure> why;
    daemon.open({[](FromHost) {}, [&](std::optional<Failure> failure) { why = std::move(failure); }});
    const std::string garbage(100, 'Z');
    REQUIRE(::write(host.get(), garbage.data(), garbage.size()) == 100);
    CHECK(test::wait_for([&] {
        loop.run_ready();
        return why.has_value();
    }));
}
