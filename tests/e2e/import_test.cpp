// From shotgunEvents to a daemon that goes on where it was.

#include "catch.hpp"
#include "e2e/command.hpp"
#include "e2e/daemon.hpp"
#include "legacy/python.hpp"

using namespace sg;
using test::command;
using test::Daemon;
using test::Ended;
using test::event;
using test::Home;
using test::wait_for;

TEST_CASE("C18 a daemon goes on at imported positions, and a missing id goes to those who waited for it") {
    sandbox::Site site;
    for (const int id : {97, 99, 100}) site.add_event(event(id));
    Home home(site, {test::recorder("a"), test::recorder("b"), test::recorder("c")},
              {{"site", {{"gap_timeout", "10min"}}}});
    const auto old = (home.path() / "old.id").string();
    const auto plugins = (home.path() / "plugins").string();
    const nlohmann::json state = {{plugins,
                                   {{"a", {99, {{"98", "2099-01-01 00:00:00"}}}},
                                    {"b", {100, nlohmann::json::object()}},
                                    {"c", {nullptr, nlohmann::json::object()}}}}};
    REQUIRE(test::python(home.path(), "write_positions.py", {old, "4", state.dump()}).ended == Ended{0, 0});
    REQUIRE(command(home, {"import", "positions", old}).ended == Ended{0, 0});

    Daemon daemon(home);
    INFO(daemon.log());
    REQUIRE(daemon.wait_until_followed({"a", "b", "c"}));
    site.add_event(event(101));
    const auto got = [&](const char* name) { return test::journal_ids(home.journal(name)); };
    const auto wait_for_last = [&](std::int64_t id) {
        for (const auto* name : {"a", "b", "c"})
            if (!wait_for([&] { return !got(name).empty() && got(name).back() == id; },
                          std::chrono::seconds(60)))
                return false;
        return true;
    };
    REQUIRE(wait_for_last(101));
    site.add_event(event(98));
    REQUIRE(wait_for([&] { return got("a").size() == 3; }, std::chrono::seconds(60)));
    site.add_event(event(102));
    REQUIRE(wait_for_last(102));
    using Ids = std::vector<std::int64_t>;
    CHECK(got("a") == Ids{100, 101, 98, 102});
    CHECK(got("b") == Ids{101, 102});
    CHECK(got("c") == Ids{101, 102});  // it had none, so it began with the next event

    const auto while_it_runs = command(home, {"import", "positions", old});
    CHECK(while_it_runs.ended == Ended{75, 0});
    CHECK(while_it_runs.error.find("pid=" + std::to_string(daemon.pid())) != std::string::npos);
}
