// Orders that plugins or collections ask for, through the whole program.

#include <algorithm>

#include "catch.hpp"
#include "e2e/daemon.hpp"

namespace in_order_test {

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Daemon;
using test::event;
using test::Home;
using test::journal_ids;
using test::scripted;

namespace {

using Ids = std::vector<std::int64_t>;

/// Calls of all plugins that share a journal, in the order they began and ended.
std::vector<std::string> calls(const Home& home, const std::string& journal) {
    std::vector<std::string> out;
    for (const auto& line : test::read_journal(home.journal(journal)))
        out.push_back(line["plugin"].get<std::string>() + " " + line["phase"].get<std::string>());
    return out;
}

}  // namespace

TEST_CASE(
    "C24 C25 plugins of ordered collections get an event one after another, the first collection first") {
    sandbox::Site site;
    site.add_event(event(100));
    const std::vector<std::string> in_order{"A", "Z", "a-b", "a", "a1", "a_b"};
    std::vector<test::TestPlugin> plugins;
    for (const auto& name : in_order) plugins.push_back(scripted(name, {{"journal", "@DIR@/all.jsonl"}}));
    plugins.push_back(scripted("0", {{"journal", "@DIR@/all.jsonl"}}));
    Home home(site, plugins,
              {{"collections", {"plugins", "more"}}, {"ordered_collections", {"more", "plugins"}}});
    std::filesystem::create_directory(home.path() / "more");
    std::filesystem::rename(home.path() / "plugins" / "0.so", home.path() / "more" / "0.so");
    Daemon daemon(home);
    auto names = in_order;
    names.push_back("0");
    REQUIRE(daemon.wait_until_followed(names));
    site.add_event(event(101));
    INFO(daemon.log());
    for (const auto& name : names) REQUIRE(daemon.wait_for_cursor(name, 101));
    std::vector<std::string> expected;
    for (const auto& name : names)
        for (const auto* phase : {" start", " end"}) expected.push_back(name + phase);
    CHECK(calls(home, "all") == expected);
}

TEST_CASE("C49 C54 a strict plugin gets the exact order, before and after a hole that never fills") {
    sandbox::Site site;
    site.add_event(event(100));
    Home home(site, {scripted("strict", json::object(), {{"strict_order", true}}), scripted("late")},
              {{"site", {{"gap_timeout", "5s"}, {"gap_watch_interval", "100ms"}}}});
    Daemon daemon(home);
    REQUIRE(daemon.wait_until_followed({"strict", "late"}));
    const auto add = [&](std::int64_t first, std::int64_t last, std::int64_t hidden) {
        for (auto id = first; id <= last; ++id) {
            auto row = event(id);
            row.hidden = id == hidden;
            site.add_event(row);
        }
    };
    const auto handled = [&](const std::string& plugin) {
        return journal_ids(home.journal(plugin), {{"phase", "end"}});
    };
    const auto has = [&](const std::string& plugin, std::size_t count) {
        return test::wait_for([&] { return handled(plugin).size() >= count; }, 60s);
    };
    INFO(daemon.log());
    add(101, 110, 105);
    REQUIRE(has("late", 9));
    REQUIRE(has("strict", 4));
    CHECK(handled("strict") == Ids{101, 102, 103, 104});
    site.show(105);
    REQUIRE(has("strict", 10));
    REQUIRE(has("late", 10));
    CHECK(handled("strict") == Ids{101, 102, 103, 104, 105, 106, 107, 108, 109, 110});
    CHECK(handled("late").back() == 105);

    add(111, 114, 112);
    REQUIRE(has("late", 13));
    CHECK(handled("strict").back() <= 111);
    REQUIRE(daemon.wait_for_log("[GAP-CLOSED]"));
    REQUIRE(has("strict", 13));
    const auto all = handled("strict");
    CHECK(std::is_sorted(all.begin(), all.end()));

    // C49: it comes after all.
    site.show(112);
    REQUIRE(has("late", 14));
    CHECK(handled("late").back() == 112);
    REQUIRE(daemon.wait_for_log("[STRICT-MISSED]"));
    CHECK(daemon.count_in_log("[GAP-FILLED-LATE]") == 1);
    add(115, 115, 0);
    for (const auto* plugin : {"strict", "late"}) REQUIRE(daemon.wait_for_cursor(plugin, 115));
    CHECK(handled("strict").back() == 115);
    CHECK(handled("strict").size() == 14);
    CHECK(handled("late").size() == 15);
}

}  // namespace in_order_test
