// How soon whoever looks at the daemon sees what has become of it.

#include "service/panel.hpp"

#include "capture_log.hpp"
#include "catch.hpp"
#include "temp_dir.hpp"

using namespace sg;
using namespace std::chrono_literals;

namespace {

/// A panel on a clock that the test drives, of a daemon whose site answers when the test says so.
class PanelFixture {
public:
    PanelFixture() {
        admin::Server::Options options;
        options.socket = dir_ / "control.sock";
        panel_.open(options, "");
    }

    /// How often it was looked in this time.
    int looks_in(std::chrono::milliseconds time) {
        const auto before = looks_;
        for (; time > 0ms; time -= 50ms) {
            clock_.advance(50ms);
            while (loop_.run_ready() != 0) {
            }
        }
        return looks_ - before;
    }
    std::string seen() const { return panel_.snapshot()->stream.state; }

    bool site_answers = false;

private:
    std::unique_ptr<checkpoint::Store> open_store() {
        checkpoint::Store::Options options;
        options.directory = dir_ / "state";
        auto opened = checkpoint::Store::open(options, disk_clock_, log_);
        REQUIRE(opened);
        return std::move(*opened);
    }
    admin::Snapshot look() {
        ++looks_;
        admin::Snapshot snapshot;
        snapshot.stream.state = site_answers ? "level" : "waiting";
        return snapshot;
    }

    test::TempDir dir_;
    ManualClock clock_;
    SystemClock disk_clock_;
    test::CaptureLog log_;
    Loop loop_{clock_};
    std::unique_ptr<checkpoint::Store> store_ = open_store();
    dispatch::Dispatcher dispatcher_{{}, loop_, *store_, log_};
    int looks_ = 0;
    service::Panel panel_{loop_, log_, {[this] { return look(); }, {}, {}, {}, {}, {}, {}, {}, dispatcher_}};
};

}  // namespace

TEST_CASE("what a daemon says of itself is a tenth of a second old while it starts, then a second") {
    PanelFixture daemon;
    CHECK(daemon.looks_in(1s) == 10);
    daemon.site_answers = true;
    CHECK(daemon.looks_in(100ms) == 1);
    CHECK(daemon.seen() == "level");
    CHECK(daemon.looks_in(5s) == 5);
}

TEST_CASE("a daemon that does not become ready is looked at once a second after a while") {
    PanelFixture daemon;
    CHECK(daemon.looks_in(10s) == 100);
    CHECK(daemon.looks_in(10s) == 10);
}
