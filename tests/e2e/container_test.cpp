// A daemon as the first process of something like a container.

#include "catch.hpp"
#include "e2e/daemon.hpp"

using namespace sg;
using namespace std::chrono_literals;
using test::Ended;
using test::event;
using test::Home;
using test::wait_for;

namespace {

/// The children of a process.
std::vector<int> children_of(int pid) {
    std::vector<int> all;
    std::error_code gone;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
        std::ifstream in(task.path() / "children");
        for (int child = 0; in >> child;) all.push_back(child);
    }
    return all;
}

std::string stat_of(int pid) { return test::read_file("/proc/" + std::to_string(pid) + "/stat"); }

bool is_zombie(int pid) { return stat_of(pid).find(") Z ") != std::string::npos; }

/// Runs `script` as process 1 of namespaces of its own, with `$0` and `$1` as given.
std::vector<std::string> as_first(const std::string& script, const std::string& a, const std::string& b) {
    return {"/usr/bin/unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "/bin/sh",
            "-c",
            script,
            a,
            b};
}

/// A daemon that is process 1, on a root that cannot be written to, its home apart. `before` is run by the
/// same process first.
class Container {
public:
    Container(const Home& home, const std::string& before)
        : process_(as_first("mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro / && { " + before +
                                " exec \"$0\" run --config \"$1/sgeventd.yaml\"; }",
                            SG_PROGRAM, home.path().string()),
                   {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, home.log(), home.log()) {}

    int first() const {
        const auto all = children_of(process_.pid());
        return all.empty() ? 0 : all.front();
    }
    std::optional<Ended> wait(std::chrono::milliseconds at_most) { return process_.wait(at_most); }

private:
    test::Process process_;
};

/// Not every machine lets everyone make namespaces.
bool can_unshare(const std::filesystem::path& scratch) {
    const auto tried =
        test::run_to_end(as_first("mount -o remount,bind,ro / && ! touch /is-writable", "", ""), scratch,
                         {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"});
    return tried.ended == Ended{0, 0};
}

}  // namespace

TEST_CASE(
    "C121 a daemon that is process 1 on a read-only root delivers, leaves no zombie and stops in order") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {test::recorder()});
    if (!can_unshare(home.path())) {
        WARN("this machine does not let us make namespaces: not tested");
        return;
    }
    // The orphan ends while the daemon runs, and is nobody's child but process 1's.
    Container container(home, "sleep 1 &");
    const auto log = [&] { return test::read_file(home.log()); };
    INFO(log());
    REQUIRE(wait_for([&] { return log().find("[LANE-START]") != std::string::npos; }, 60s));
    site.add_events(50, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(home, 50));
    const int first = container.first();
    REQUIRE(first != 0);
    // The daemon's host is killed, and a fresh one takes over.
    const auto daemon = children_of(first);
    const auto is_daemon = [](int pid) { return stat_of(pid).find("(sgeventd)") != std::string::npos; };
    const auto found = std::find_if(daemon.begin(), daemon.end(), is_daemon);
    REQUIRE(found != daemon.end());
    const auto hosts = children_of(*found);
    REQUIRE(hosts.size() == 1);
    ::kill(hosts.front(), SIGKILL);
    REQUIRE(wait_for([&] { return log().find("[HOST-DIED]") != std::string::npos; }, 60s));
    site.add_events(3, "Shotgun_Shot_Change");
    REQUIRE(test::wait_for_recorded(home, 53));
    const auto no_zombie = [&] {
        const auto mine = children_of(first);
        const auto its = children_of(*found);
        return mine.size() == 1 && std::none_of(its.begin(), its.end(), is_zombie);
    };
    CHECK(wait_for(no_zombie, 60s));

    ::kill(first, SIGTERM);
    CHECK(container.wait(60s) == Ended{0, 0});
    CHECK(log().find("[STOPPED] Stopped in order.") != std::string::npos);
    CHECK(test::journal_ids(home.journal()).size() == 53);
}
