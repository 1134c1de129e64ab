// The words to the service manager, and when they are said.

#include "service/notifier.hpp"

#include <unistd.h>

#include <cstdlib>

#include "catch.hpp"
#include "service/sign_of_life.hpp"
#include "service_manager.hpp"
#include "temp_dir.hpp"

using namespace sg;
using namespace std::chrono_literals;
using service::Notifier;
using test::ServiceManager;

namespace {

Notifier take(const std::string& socket, const std::string& time = {}, const std::string& pid = {}) {
    ::setenv("NOTIFY_SOCKET", socket.c_str(), 1);
    if (!time.empty()) ::setenv("WATCHDOG_USEC", time.c_str(), 1);
    if (!pid.empty()) ::setenv("WATCHDOG_PID", pid.c_str(), 1);
    auto notifier = Notifier::take();
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
        CHECK(std::getenv(name) == nullptr);
    return notifier;
}

}  // namespace

TEST_CASE("without a service manager nothing is said, and nothing is wrong") {
    CHECK_FALSE(Notifier::take());
    for (const std::string name : {"", "/", "relative", "/nowhere/at/all"}) {
        const auto notifier = take(name, "1000000");
        CHECK_FALSE(notifier);
        CHECK_FALSE(notifier.watchdog());
        notifier.ready();
    }
    CHECK_FALSE(take("/" + std::string(200, 'x')));
}

TEST_CASE("a service manager that does not listen holds nobody up") {
    const test::TempDir dir;
    ServiceManager manager(dir / "notify");
    const auto notifier = take((dir / "notify").string());
    for (int i = 0; i < 5000; ++i) {
        notifier.alive();
        notifier.status("as before");
    }
    notifier.ready();  // gives up after a second
    const auto heard = manager.count("WATCHDOG=1");
    CHECK(heard > 0);
    CHECK(heard < 5000);
    notifier.ready();
    CHECK(manager.wait("READY=1"));
}

TEST_CASE("several in one process are one for the service manager") {
    const test::TempDir dir;
    ServiceManager manager(dir / "notify");
    const auto parts = take((dir / "notify").string(), "3000000").divided({"film", "series"});
    REQUIRE(parts.size() == 2);
    CHECK(parts[1].watchdog() == 3s);
    parts[0].ready();
    parts[0].alive();
    parts[0].alive();
    CHECK(manager.count("READY=1") == 0);
    CHECK(manager.count("WATCHDOG=1") == 0);
    parts[1].ready();
    parts[1].alive();
    CHECK(manager.count("READY=1") == 1);
    CHECK(manager.count("WATCHDOG=1") == 1);
    parts[0].status("fine");
    parts[1].status("behind");
    CHECK(manager.count("STATUS=film: fine; series: behind") == 1);

    parts[0].reloading();
    parts[1].reloading();
    parts[0].ready();
    CHECK(manager.count("RELOADING=1") == 1);
    CHECK(manager.count("READY=1") == 1);
    parts[1].ready();
    CHECK(manager.count("READY=1") == 2);

    parts[0].alive();
    parts[1].ended("stopped, exit code 75");  // nobody waits for that one any more
    CHECK(manager.count("WATCHDOG=1") == 2);
    CHECK(manager.count("STATUS=film: fine; series: stopped, exit code 75") == 1);
    parts[0].stopping();
    CHECK(manager.count("STOPPING=1") == 1);
    parts[0].ended("stopped, exit code 0");
    CHECK(manager.count("exit code 0") == 0);
    for (const auto& part : Notifier().divided({"film", "series"})) CHECK_FALSE(part);
}

TEST_CASE("the watchdog's time counts for the process that it names") {
    const test::TempDir dir;
    const ServiceManager manager(dir / "notify");
    const auto socket = (dir / "notify").string();
    CHECK(take(socket, "3000000").watchdog() == 3s);
    CHECK(take(socket, "3000000", std::to_string(::getpid())).watchdog() == 3s);
    CHECK_FALSE(take(socket, "3000000", "1").watchdog());
    for (const std::string time : {"0", "-5", "soon", "3s"}) CHECK_FALSE(take(socket, time).watchdog());
}

TEST_CASE("a sign of life is given by a loop that turns, at half the time, and by no other") {
    const test::TempDir dir;
    ServiceManager manager(dir / "notify");
    const auto notifier = take((dir / "notify").string(), "10000000");
    ManualClock clock;
    Loop loop(clock);
    service::SignOfLife life(loop, notifier);
    life.start();
    REQUIRE(manager.count("WATCHDOG=1") == 1);
    clock.advance(4900ms);
    loop.run_ready();
    CHECK(manager.count("WATCHDOG=1") == 1);
    clock.advance(100ms);
    CHECK(manager.count("WATCHDOG=1") == 1);  // it does not turn
    loop.run_ready();
    CHECK(manager.count("WATCHDOG=1") == 2);
}

TEST_CASE("how the daemon is is told when it changes") {
    const test::TempDir dir;
    ServiceManager manager(dir / "notify");
    const auto notifier = take((dir / "notify").string());
    ManualClock clock;
    Loop loop(clock);
    service::SignOfLife life(loop, notifier);
    life.tell("one");
    life.tell("one");
    life.tell("two");
    CHECK(manager.count("STATUS=one") == 1);
    CHECK(manager.count("STATUS=two") == 1);
    CHECK(manager.count("WATCHDOG=1") == 0);  // nobody asked for it
}
