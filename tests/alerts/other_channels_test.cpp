// An HTTP request and a program, as ways to tell people.

#include <csignal>
#include <fstream>

#include "alerts/command.hpp"
#include "alerts/hook.hpp"
#include "catch.hpp"
#include "e2e/process.hpp"
#include "site/raw_server.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace other_channels_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;

namespace {

const alerts::Origin origin{"1.2.3", "host7", "https://studio.example.com"};

alerts::Message message_of(std::string text) {
    alerts::Message message;
    message.alerts.push_back({std::chrono::sys_days{std::chrono::year{2026} / 3 / 4}, LogLevel::error,
                              "engine", "review", "DEAD-LETTER", std::move(text)});
    message.held = 2;
    message.held_back["[DEAD-LETTER] of review"] = 2;
    return message;
}

const nlohmann::json expected = {{"text", "ERROR: sgeventd on host7: [DEAD-LETTER] of review, and 2 more"},
                                 {"host", "host7"},
                                 {"site", "https://studio.example.com"},
                                 {"version", "1.2.3"},
                                 {"held_back", 2},
                                 {"held_back_by_kind", {{"[DEAD-LETTER] of review", 2}}},
                                 {"alerts",
                                  {{{"time", "2026-03-04T00:00:00Z"},
                                    {"level", "ERROR"},
                                    {"logger", "engine"},
                                    {"plugin", "review"},
                                    {"code", "DEAD-LETTER"},
                                    {"text", "映画 \"quoted\"\nsecond line"}}}}};
const std::string text = "映画 \"quoted\"\nsecond line";

std::string why(const Result<void>& result) { return result ? "" : result.error().message; }

/// A program made of shell, in a file of its own.
class Program {
public:
    explicit Program(const std::string& lines) {
        std::ofstream(path()) << "#!/bin/sh\n" << lines << "\n";
        std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
    }
    std::filesystem::path path() const { return dir_ / "program"; }
    std::filesystem::path file(const std::string& name) const { return dir_ / name; }
    Result<void> send(std::vector<std::string> arguments = {}, std::chrono::milliseconds limit = 60s,
                      std::stop_token stop = {}, const std::string& said = text) const {
        arguments.insert(arguments.begin(), path().string());
        return alerts::make_command_sender({arguments, limit}, origin)
            ->send(message_of(said), std::move(stop));
    }

private:
    TempDir dir_;
};

}  // namespace

TEST_CASE("a hook gets a JSON object, and any 2xx will do") {
    RawServer server([](const RawRequest&, RawPeer& peer) { peer.send(http("", 204)); });
    const auto sent = alerts::make_hook_sender({server.url() + "/services/T0/secret-token", {}, 10s}, origin)
                          ->send(message_of(text), {});
    INFO(why(sent));
    REQUIRE(sent);
    REQUIRE(server.count() == 1);
    const auto request = server.requests().front();
    CHECK(request.head.starts_with("POST /services/T0/secret-token HTTP/1.1\r\n"));
    CHECK(request.header("Content-Type") == "application/json; charset=utf-8");
    CHECK(request.json() == expected);
}

TEST_CASE("a hook that refuses, is not there, or hangs is a failure that does not tell its address") {
    std::string path = "/services/secret-token?signed=too";
    SECTION("refuses") {
        RawServer server([](const RawRequest&, RawPeer& peer) { peer.send(http("no", 403)); });
        const auto sent =
            alerts::make_hook_sender({server.url() + path, {}, 10s}, origin)->send(message_of(text), {});
        REQUIRE_FALSE(sent);
        CHECK(why(sent) == "the hook answered with status 403");
    }
    SECTION("redirects") {
        RawServer server([](const RawRequest&, RawPeer& peer) {
            peer.send(http("", 302, "Location: http://127.0.0.1:1/elsewhere\r\n"));
        });
        const auto sent =
            alerts::make_hook_sender({server.url() + path, {}, 10s}, origin)->send(message_of(text), {});
        REQUIRE_FALSE(sent);
        CHECK(why(sent) == "the hook answered with status 302");
    }
    SECTION("hangs") {
        RawServer server([](const RawRequest&, RawPeer& peer) { peer.hang(); });
        const auto sent =
            alerts::make_hook_sender({server.url() + path, {}, 200ms}, origin)->send(message_of(text), {});
        REQUIRE_FALSE(sent);
        CHECK(sent.error().cause == Cause::timed_out);
        CHECK(why(sent).find("secret") == std::string::npos);
    }
    SECTION("is not there") {
        const auto sent = alerts::make_hook_sender({"http://127.0.0.1:1" + path, {}, 10s}, origin)
                              ->send(message_of(text), {});
        REQUIRE_FALSE(sent);
        CHECK(sent.error().cause == Cause::network);
        CHECK(why(sent).find("secret") == std::string::npos);
        CHECK(why(sent).starts_with("the hook: "));
    }
}

TEST_CASE(
    "a program gets the object on its standard input, its arguments as they are, and no key of the daemon") {
    const Program program(R"(cat > "$1"; shift; printf '%s|' "$@" > "$1"; env > "$2")");
    ::setenv("SGEVENTD_KEY", "the-key", 1);
    const auto sent = program.send({program.file("in").string(), program.file("arguments").string(),
                                    program.file("environment").string(), "$(id) `id` ; *"});
    ::unsetenv("SGEVENTD_KEY");
    INFO(why(sent));
    REQUIRE(sent);
    CHECK(nlohmann::json::parse(read_file(program.file("in"))) == expected);
    CHECK(read_file(program.file("arguments")).ends_with("|$(id) `id` ; *|"));
    const auto environment = read_file(program.file("environment"));
    CHECK(environment.find("PATH=") != std::string::npos);
    CHECK(environment.find("the-key") == std::string::npos);
}

TEST_CASE("a program that fails is a failure, with what it said, and one that reads nothing is none") {
    const auto failed = Program("echo cannot reach the pager >&2; exit 3").send();
    REQUIRE_FALSE(failed);
    CHECK(why(failed).find("exited with 3, having said: cannot reach the pager") != std::string::npos);
    const auto killed = Program("kill -9 $$").send();
    REQUIRE_FALSE(killed);
    CHECK(why(killed).find("killed by signal 9") != std::string::npos);
    CHECK(Program("exit 0").send({}, 60s, {}, std::string(4'000'000, 'x')));
    const auto absent =
        alerts::make_command_sender({{"/absent/program"}, 1s}, origin)->send(message_of(text), {});
    REQUIRE_FALSE(absent);
    CHECK(why(absent) == "/absent/program: cannot be started: No such file or directory");
}

TEST_CASE("a program that does not end is killed with what it has started, at the time limit or a stop") {
    const Program program(
        R"(sleep 1000 & echo $! > "$1.part"; mv "$1.part" "$1"; while :; do sleep 1; done)");
    const auto file = program.file("pid");
    std::stop_source stop;
    std::jthread stopper;
    Result<void> ended;
    SECTION("time limit") { ended = program.send({file.string()}, 1s); }
    SECTION("stop") {
        stopper = std::jthread([&] {
            wait_for([&] { return std::filesystem::exists(file); });
            stop.request_stop();
        });
        ended = program.send({file.string()}, 1h, stop.get_token());
    }
    REQUIRE_FALSE(ended);
    CHECK((ended.error().cause == Cause::timed_out || ended.error().cause == Cause::stopped));
    if (!std::filesystem::exists(file)) return;  // a machine so busy that it had not begun within the limit
    const auto child = std::stoi(read_file(file));
    CHECK(wait_for([&] {
        const auto state = read_file("/proc/" + std::to_string(child) + "/stat");
        return state.empty() || state.find(") Z ") != std::string::npos;
    }));
}

}  // namespace other_channels_test
