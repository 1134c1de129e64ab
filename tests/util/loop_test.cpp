#include "util/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>

#include "catch.hpp"

using namespace std::chrono_literals;

TEST_CASE("a timer runs when the clock has reached it, and not before") {
    sg::ManualClock clock;
    sg::Loop loop(clock);
    int ran = 0;
    const auto timer = loop.after(10ms, [&] { ++ran; });
    clock.advance(9ms);
    loop.run_ready();
    CHECK(ran == 0);
    clock.advance(1ms);
    loop.run_ready();
    CHECK(ran == 1);
}

TEST_CASE("a timer whose handle is gone does not run") {
    sg::ManualClock clock;
    sg::Loop loop(clock);
    int ran = 0;
    {
        const auto timer = loop.after(1ms, [&] { ++ran; });
    }
    clock.advance(1s);
    loop.run_ready();
    CHECK(ran == 0);
}

TEST_CASE("a watch that is cancelled by another in the same turn does not run") {
    sg::ManualClock clock;
    sg::Loop loop(clock);
    sg::UniqueFd a(::eventfd(1, EFD_CLOEXEC)), b(::eventfd(1, EFD_CLOEXEC));
    int ran = 0;
    sg::Loop::Handle first, second;
    first = loop.watch(a.get(), EPOLLIN, [&](std::uint32_t) {
        ++ran;
        first.reset();
        second.reset();
    });
    second = loop.watch(b.get(), EPOLLIN, [&](std::uint32_t) {
        ++ran;
        first.reset();
        second.reset();
    });
    loop.run_ready();
    CHECK(ran == 1);
}

TEST_CASE("what another thread posts runs on the loop's thread, in order, before the loop ends") {
    sg::SystemClock clock;
    sg::Loop loop(clock);
    std::vector<int> order;
    std::thread::id on;
    std::jthread runner([&](std::stop_token stop) {
        on = std::this_thread::get_id();
        loop.run(std::move(stop));
    });
    for (int i = 0; i < 100; ++i) loop.post([&order, i] { order.push_back(i); });
    std::thread::id ran_on;
    loop.post([&] { ran_on = std::this_thread::get_id(); });
    runner.request_stop();
    runner.join();
    CHECK(order.size() == 100);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(ran_on == on);
}

TEST_CASE("a driven clock wakes a loop that waits for nothing else") {
    sg::ManualClock clock;
    sg::Loop loop(clock);
    std::stop_source stop;
    const auto timer = loop.after(1h, [&] { stop.request_stop(); });
    std::jthread runner([&] { loop.run(stop.get_token()); });
    clock.advance(1h);
    runner.join();  // a loop that slept through the jump would hang here, and ctest would say so
    CHECK(stop.stop_requested());
}
