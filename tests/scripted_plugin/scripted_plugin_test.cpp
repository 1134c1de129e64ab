// The script itself: what a test leans on must hold first.

#include <sys/wait.h>
#include <unistd.h>
#include <sg/testing.hpp>

#include <csignal>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "journal.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

using nlohmann::json;
using sg::testing::FakeSite;
using sg::testing::Plugin;

namespace {

struct Script {
    /// `rules` is JSON text.
    explicit Script(const std::string& rules, json args = json::object()) {
        args["journal"] = journal.string();
        args["rules"] = json::parse(rules);
        plugin.emplace(site, args);
    }

    void handle(sg::EventId id, std::uint32_t attempt = 1, std::stop_token stop = {}) {
        auto row = sg::testing::change(shot, "code", "a", "b");
        row["id"] = id;
        plugin->handle(row, {.attempt = attempt, .stop = std::move(stop)});
    }
    std::vector<std::int64_t> ended() const { return sg::test::journal_ids(journal, {{"phase", "end"}}); }
    std::vector<std::int64_t> started() const { return sg::test::journal_ids(journal, {{"phase", "start"}}); }

    /// How a process ends that handles the event.
    int end_of_child(sg::EventId id) {
        const auto child = ::fork();
        if (child == 0) {
            std::signal(SIGSEGV, SIG_DFL);  // the test program has a handler of its own
            handle(id);
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        return status;
    }

    sg::test::TempDir dir;
    std::filesystem::path journal = dir / "journal.jsonl";
    FakeSite site;
    sg::EntityRef shot = site.add("Shot", {{"code", "a"}});
    std::optional<Plugin> plugin;
};

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("a rule holds by the event's id and the attempt, never by counting calls") {
    Script script(R"([{"do": "throw", "every": 10, "attempts": 1}])");
    script.handle(9);
    CHECK_THROWS_AS(script.handle(10), std::runtime_error);
    CHECK_THROWS_AS(script.handle(10), std::runtime_error);
    script.handle(10, 2);
    CHECK(script.started() == Ids{9, 10, 10, 10});
    CHECK(script.ended() == Ids{9, 10});
}

TEST_CASE("a crash leaves a start without an end, and the next attempt is spared") {
    Script script(R"([{"do": "crash", "every": 100, "attempts": 1}])");
    const int status = script.end_of_child(100);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
    CHECK(script.started() == Ids{100});
    CHECK(script.ended().empty());
    script.handle(100, 2);
    CHECK(script.ended() == Ids{100});
}

TEST_CASE("a rule may name events and a callback") {
    Script script(R"([{"do": "throw_int", "events": [7], "callback": "c2"}])",
                  {{"callbacks", {"c1", "c2", "c3"}}});
    script.handle(6);
    CHECK_THROWS_AS(script.handle(7), int);
    CHECK(sg::test::journal_ids(script.journal, {{"phase", "end"}, {"callback", "c1"}}) == Ids{6, 7});
    CHECK(sg::test::journal_ids(script.journal, {{"phase", "end"}, {"callback", "c2"}}) == Ids{6});
}

TEST_CASE("a gate holds the call until its file appears") {
    sg::test::TempDir dir;
    Script script(R"([{"do": "gate", "file": ")" + (dir / "open").string() + R"("}])");
    std::thread caller([&] { script.handle(1); });
    const bool began = sg::test::wait_for([&] { return script.started() == Ids{1}; });
    const auto before = script.ended();
    std::ofstream(dir / "open").put('\n');
    caller.join();
    CHECK(began);
    CHECK(before.empty());
    CHECK(script.ended() == Ids{1});
}

TEST_CASE("a wait ends when it is asked to stop") {
    Script script(R"([{"do": "wait"}])");
    std::stop_source stop;
    stop.request_stop();
    CHECK_THROWS_AS(script.handle(1, 1, stop.get_token()), sg::Error);
}

TEST_CASE("an update changes the event's entity") {
    Script script(R"([{"do": "update", "data": {"code": "z"}}])");
    script.handle(1);
    CHECK(script.site.row(script.shot).at("code") == "z");
}

TEST_CASE("a script that is not understood fails the call, and an exit code is the script's") {
    Script script(R"([{"do": "dance", "events": [1]}, {"do": "exit", "code": 3, "events": [2]}])");
    CHECK_THROWS_AS(script.handle(1), std::invalid_argument);
    const int status = script.end_of_child(2);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 3));
}
