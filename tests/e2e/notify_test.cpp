// What the daemon tells its service manager.

#include "catch.hpp"
#include "e2e/daemon.hpp"
#include "service_manager.hpp"

using namespace sg;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::ServiceManager;

TEST_CASE(
    "C120 the service manager hears when the daemon is ready, how it is, that it lives, and when it stops") {
    sandbox::Site site;
    site.add_event(event(100));
    site.refuse_connections();
    Home home(site, {test::recorder()});
    ServiceManager manager(home.path() / "notify");
    Daemon daemon(home, {"NOTIFY_SOCKET=" + (home.path() / "notify").string(), "WATCHDOG_USEC=200000"});
    INFO(daemon.log());
    REQUIRE(manager.wait("READY=1"));  // the site need not be there
    CHECK(manager.wait("STATUS=Not ready: the site does not answer"));
    site.accept_connections();
    CHECK(manager.wait("STATUS=Following " + site.url() + "; 1 plugin."));
    const auto alive = manager.count("WATCHDOG=1");
    CHECK(manager.wait("WATCHDOG=1", alive + 3));
    daemon.signal(SIGHUP);
    CHECK(manager.wait("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(manager.wait("READY=1", 2));
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(manager.count("STOPPING=1") == 1);
    CHECK(manager.place("READY=1") < manager.place("RELOADING=1"));
    CHECK(manager.place("RELOADING=1") < manager.place("STOPPING=1"));
}
