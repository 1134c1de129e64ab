#include "host/link/run_page.hpp"

#include <unistd.h>
#include <limits>

#include "catch.hpp"

using namespace sg;
using namespace sg::host;

TEST_CASE("the page says what is running, and what has ended and was not received") {
    auto shared = SharedRunPage::make().value();
    auto other = SharedRunPage::open(UniqueFd(::dup(shared.fd()))).value();
    auto& host = other.page();
    const auto& daemon = shared.page();
    CHECK_FALSE(daemon.running());
    for (std::uint64_t n = 1; n <= 3; ++n) {
        host.begin({n, static_cast<EventId>(n * 100), static_cast<std::uint16_t>(n)});
        REQUIRE(daemon.running());
        CHECK(daemon.running()->sequence == n);
        CHECK(daemon.running()->event == static_cast<EventId>(n * 100));
        CHECK(daemon.running()->callback == n);
        if (n == 3) break;
        Outcome outcome;
        outcome.event = static_cast<EventId>(n * 100);
        outcome.callback = static_cast<std::uint16_t>(n);
        outcome.ok = n != 2;
        outcome.cause = Cause::busy;
        outcome.duration = std::chrono::microseconds(50);
        host.end(outcome);
        CHECK_FALSE(daemon.running());
    }
    const auto ended = daemon.ended_after(0);
    REQUIRE(ended.size() == 2);
    CHECK(ended[0].event == 100);
    CHECK(ended[0].ok);
    CHECK(ended[0].duration == std::chrono::microseconds(50));
    CHECK(ended[1].event == 200);
    CHECK_FALSE(ended[1].ok);
    CHECK(ended[1].cause == Cause::busy);
    CHECK(daemon.ended_after(1).size() == 1);
    CHECK(daemon.ended_after(2).empty());
}

TEST_CASE("a page that a plugin scribbled on is read without harm") {
    auto shared = SharedRunPage::make().value();
    constexpr auto last = RunPage::ring_size + 1;
    for (std::uint64_t n = 1; n <= last; ++n) {
        shared.page().begin({n, 1, 0});
        shared.page().end({});
    }
    CHECK(shared.page().ended_after(0).empty());  // too far behind to be believed
    CHECK(shared.page().ended_after(last - 1).size() == 1);
    CHECK(shared.page().ended_after(5000).empty());
}

TEST_CASE("a page whose count of calls has come to its end is read, and no further") {
    auto shared = SharedRunPage::make().value();
    constexpr auto last = std::numeric_limits<std::uint64_t>::max();
    for (auto n = last - 2; n != 0; ++n) {
        shared.page().begin({n, 5, 0});
        shared.page().end({});
    }
    // Of the next round of the ring: reading on would take them for outcomes.
    for (std::uint64_t n = 0; n < 3; ++n) {
        shared.page().begin({n, 6, 0});
        shared.page().end({});
    }
    shared.page().begin({last, 5, 0});
    shared.page().end({});
    CHECK(shared.page().ended_after(last - 1).size() == 1);
}

TEST_CASE("a page cannot be made smaller under the daemon's feet") {
    auto shared = SharedRunPage::make().value();
    CHECK(::ftruncate(shared.fd(), 0) != 0);
}
