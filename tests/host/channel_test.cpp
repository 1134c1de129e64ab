#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>

#include "catch.hpp"
#include "host/events.hpp"
#include "host/link/codec.hpp"
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

namespace {

/// Rows of about four kilobytes, as the stream would have read them.
event::PagePtr page_of(EventId first, std::size_t count) {
    std::string text;
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < count; ++i) {
        text += test::make_event(first + static_cast<EventId>(i), "T", "", 4000).row().raw;
        ends.push_back(text.size());
    }
    std::vector<event::EventRow> rows(count);
    for (std::size_t i = 0, from = 0; i < count; from = ends[i++]) {
        rows[i].id = first + static_cast<EventId>(i);
        rows[i].type = "T";
        rows[i].raw = std::string_view(text).substr(from, ends[i] - from);
    }
    return std::make_shared<const event::EventPage>(std::move(text), std::move(rows));
}

void add_rows(Deliver& to, const event::PagePtr& page, std::uint32_t from, std::uint32_t end) {
    for (auto i = from; i < end; ++i) to.batch.push_back({{page, i}, {0}, 1, false});
}

}  // namespace

TEST_CASE("events of one page are pointed at in a shared text, and read as if they had travelled") {
    SystemClock clock;
    Loop loop(clock);
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    const auto pages = std::make_shared<SharedPages>();
    SocketDaemonChannel daemon(loop, UniqueFd(pair[0]), pages);
    SocketHostChannel host{UniqueFd(pair[1])};
    daemon.open({[](FromHost) {}, [](std::optional<Failure>) {}});
    std::vector<std::string> sent, came;
    std::size_t pointed_at = 0;
    const auto exchange = [&](Deliver message) {
        const auto count = message.batch.size();
        for (const auto& one : message.batch) sent.emplace_back(one.event.row().raw);
        daemon.send(std::move(message));
        for (std::size_t got = 0; got < count;) {
            loop.run_ready();
            auto now = host.receive(1000ms);
            REQUIRE(now.message);
            auto& batch = std::get<Deliver>(*now.message).batch;
            got += batch.size();
            for (const auto& one : batch) {
                const auto raw = one.event.row().raw, frame = one.event.page->text();
                came.emplace_back(raw);
                if (raw.data() < frame.data() || raw.data() >= frame.data() + frame.size()) ++pointed_at;
            }
        }
    };
    const auto first = page_of(1, 100), second = page_of(101, 100), third = page_of(201, 500);
    Deliver mixed;
    mixed.batch.push_back({test::make_event(1, "T"), {0}, 2, false});  // owed from before: on its own
    add_rows(mixed, first, 0, 60);
    add_rows(mixed, second, 0, 100);
    add_rows(mixed, third, 0, 3);  // too few of a large page
    exchange(std::move(mixed));
    CHECK(pointed_at == 160);
    Deliver rest;
    add_rows(rest, second, 99, 100);  // the host has it, so even one is pointed at
    add_rows(rest, first, 60, 100);
    exchange(std::move(rest));
    CHECK(pointed_at == 201);
    CHECK(came == sent);
}

TEST_CASE("a host that is told of a page without a descriptor gives up its link") {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    const UniqueFd daemon(pair[0]);
    SocketHostChannel host{UniqueFd(pair[1])};
    std::string bytes;
    encode_share(1000, bytes);
    REQUIRE(::send(daemon.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    CHECK(host.receive(1000ms).ended);
}

TEST_CASE("nobody can change a shared text, also not a host that has its descriptor") {
    const auto page = page_of(1, 10);
    SharedPages pages;
    const auto text = pages.text_of(page);
    REQUIRE(text);
    CHECK(text == pages.text_of(page));
    CHECK(::pwrite(text->fd(), "x", 1, 0) < 0);
    CHECK(::ftruncate(text->fd(), 0) != 0);
    CHECK(::mmap(nullptr, text->size(), PROT_READ | PROT_WRITE, MAP_SHARED, text->fd(), 0) == MAP_FAILED);
    const auto mapped = MappedText::map(UniqueFd(::dup(text->fd())), text->size());
    REQUIRE(mapped);
    CHECK((*mapped)->text() == page->text());
    CHECK(MappedText::map(UniqueFd(::dup(text->fd())), text->size() + 1).error().cause == Cause::bad_answer);
}
