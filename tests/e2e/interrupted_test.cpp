// Plugins in threads of the daemon that take it with them.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"

namespace interrupted_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;
using Ids = std::vector<std::int64_t>;

namespace {

json in_threads(json more = json::object()) {
    more.merge_patch(
        {{"plugin_defaults", {{"isolation", "thread"}, {"crashes", 3}}}, {"retries", {{"first", "100ms"}}}});
    return more;
}

Ids ids_of(const Home& home, const std::string& plugin) {
    auto ids = journal_ids(home.journal(plugin), {{"phase", "end"}});
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

std::size_t records(const Home& home) {
    std::error_code none;
    const std::filesystem::directory_iterator files(home.state() / "running", none);
    return none ? 0 : static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

}  // namespace

TEST_CASE("an event that takes the daemon with it is given up after so many times, and the others come") {
    const std::string policy = GENERATE("retry", "skip");
    sandbox::Site site;
    site.add_event(event(100));
    const auto crashes = json::parse(R"([{"do": "crash", "events": [105]}])");
    // Most likely running when the daemon dies for the first time: it is owed then, behind the cursor.
    const auto slow = json::parse(R"([{"do": "sleep", "ms": 300, "events": [106], "attempts": 1}])");
    Home home(site, {scripted("crashes", {{"rules", crashes}}), scripted("other", {{"rules", slow}})},
              in_threads({{"plugin_defaults", {{"on_failure", policy}}}}));
    int died = 0;
    for (bool added = false;; ++died) {
        Daemon daemon(home);
        INFO(policy << ", " << died << " times before\n" << daemon.log());
        if (!added) REQUIRE(daemon.wait_until_followed({"crashes", "other"}));
        if (!std::exchange(added, true))
            for (std::int64_t id = 101; id <= 110; ++id) site.add_event(event(id));
        const bool over = wait_for(
            [&] {
                return daemon.wait(std::chrono::milliseconds(0)).has_value() ||
                       (daemon.cursor("crashes") == 110 && daemon.pending("crashes") == 0);
            },
            std::chrono::seconds(60));
        REQUIRE(over);
        if (daemon.wait(std::chrono::milliseconds(0))) {
            REQUIRE(died < 6);
            continue;
        }
        CHECK(daemon.wait_for_cursor("other", 110));
        CHECK(wait_for([&] { return daemon.pending("other") == 0; }));
        CHECK(daemon.count_in_log("[DEAD-LETTER]") == (policy == "retry" ? 1 : 0));
        CHECK(daemon.count_in_log("[CALL-SKIPPED]") == (policy == "skip" ? 1 : 0));
        CHECK(daemon.terminate() == Ended{0, 0});
        break;
    }
    CHECK(died == 3);
    const auto letters = json::parse(command(home, {"dead-letters", "list", "--output", "json"}).out);
    REQUIRE(letters.size() == (policy == "retry" ? 1 : 0));
    for (const auto& letter : letters) {
        CHECK(letter.at("event") == 105);
        CHECK(letter.at("plugin") == "crashes");
        CHECK(letter.at("reason") == "its host died 3 times");
        CHECK(letter.at("errors").back().at("text") == "the daemon ended while it ran");
    }
    CHECK(ids_of(home, "crashes") == Ids{101, 102, 103, 104, 106, 107, 108, 109, 110});
    CHECK(ids_of(home, "other") == Ids{101, 102, 103, 104, 105, 106, 107, 108, 109, 110});
    CHECK(records(home) == 0);
}

TEST_CASE("an event that was running when somebody killed the daemon is tried again, whatever the policy") {
    const auto* const policy = GENERATE("retry", "skip", "halt");
    sandbox::Site site;
    site.add_event(event(100));
    TempDir dir;
    const auto gate = (dir / "open").string();
    const json rules = {{{"do", "gate"}, {"file", gate}, {"events", {102}}}};
    Home home(site, {scripted("waits", {{"rules", rules}})},
              in_threads({{"plugin_defaults", {{"on_failure", policy}}}}));
    {
        Daemon daemon(home);
        INFO(daemon.log());
        REQUIRE(daemon.wait_until_followed({"waits"}));
        for (std::int64_t id = 101; id <= 104; ++id) site.add_event(event(id));
        REQUIRE(wait_for([&] {
            return journal_ids(home.journal("waits"), {{"phase", "start"}}).size() == 2;
        }));
        daemon.kill();
        CHECK(records(home) == 1);
    }
    std::ofstream(gate) << "open";
    Daemon daemon(home);
    INFO(policy << "\n" << daemon.log());
    REQUIRE(daemon.wait_for_cursor("waits", 104));
    REQUIRE(wait_for([&] { return daemon.pending("waits") == 0; }));
    CHECK(ids_of(home, "waits") == Ids{101, 102, 103, 104});
    CHECK(daemon.count_in_log("[INTERRUPTED]") == 1);
    CHECK(daemon.count_in_log("[DEAD-LETTER]") == 0);
    CHECK(daemon.count_in_log("[CALL-SKIPPED]") == 0);
    const auto calls = read_journal(home.journal("waits"));
    for (const auto& call : calls)
        if (call.at("event") == 102 && call.at("phase") == "end") {
            CHECK(call.at("attempt") == 2);
            CHECK(call.at("redelivered") == true);
        }
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(records(home) == 0);
}

TEST_CASE("records of a running daemon that cannot be read are passed over, each with one message") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("p")}, in_threads());
    std::filesystem::create_directories(home.state() / "running");
    std::ofstream(home.state() / "running/1-1.run") << "half";
    std::ofstream(home.state() / "running/1-2.run") << std::string(100'000, 'x');
    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"p"}));
    site.add_event(event(101));
    REQUIRE(daemon.wait_for_cursor("p", 101));
    CHECK(daemon.count_in_log("[RUN-RECORD]") == 2);
    CHECK(daemon.terminate() == Ended{0, 0});
    CHECK(records(home) == 0);
}

}  // namespace interrupted_test
