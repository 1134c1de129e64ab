// What a generation does while all is well: in a process and in a thread.

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;
using plugins::Isolation;

namespace {

const char* name_of(Isolation isolation) { return isolation == Isolation::thread ? "thread" : "process"; }

}  // namespace

TEST_CASE("a batch of events is run in order, each with its own outcome") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"good"});
            rig.options.defaults.isolation = isolation;
            rig.start();
            REQUIRE(rig.wait_ready("good"));
            REQUIRE(rig.owner.ready["good"]->callbacks().size() == 1);
            CHECK(rig.owner.ready["good"]->callbacks()[0].name == "all");
            std::vector<plugins::Delivery> batch;
            for (EventId id = 1; id <= 2000; ++id)
                batch.push_back({make_event(id, id % 500 == 0 ? "Throw" : "Fine"), {0}, 1, false});
            rig.deliver("good", std::move(batch));
            REQUIRE(rig.wait_outcomes("good", 2000));
            const auto& outcomes = rig.owner.outcomes["good"];
            REQUIRE(outcomes.size() == 2000);
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                REQUIRE(outcomes[i].event == static_cast<EventId>(i + 1));
                REQUIRE(outcomes[i].ok == (outcomes[i].event % 500 != 0));
            }
            CHECK(outcomes[499].cause == Cause::busy);
            CHECK(outcomes[499].error == "not now");
        }
    }
}

TEST_CASE("an outcome does not wait for a later call that runs long") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"asks_site"});
            rig.options.defaults.isolation = isolation;
            rig.site.answer = [](const auto&) -> host::SiteAnswer { return std::string("{}"); };
            rig.start();
            REQUIRE(rig.wait_ready("asks_site"));
            // The second call waits for an answer that does not come until the first outcome has.
            rig.site.answer = nullptr;
            rig.deliver("asks_site", {{make_event(1), {0}, 1, false},
                                      {make_event(2), {0}, 1, false},
                                      {make_event(3), {0}, 1, false}});
            for (std::size_t i = 1; i <= 3; ++i) {
                REQUIRE(rig.wait([&] { return rig.site.waiting.size() == i; }));
                rig.site.waiting.back()(std::string("{\"id\":1}"));
                CHECK(rig.wait_outcomes("asks_site", i));
            }
        }
    }
}

TEST_CASE("a call of the site carries who asks, for which event, with which credential") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"asks_site"});
            rig.options.defaults.isolation = isolation;
            rig.options.defaults.credential = "default";
            rig.site.answer = [](const host::SiteRequest& request) -> host::SiteAnswer {
                if (request.event == 13) return fail(Cause::permission, "not yours");
                return std::string("{\"id\":12}");
            };
            rig.start();
            REQUIRE(rig.wait_ready("asks_site"));
            rig.deliver("asks_site", 12);
            rig.deliver("asks_site", 13);
            REQUIRE(rig.wait_outcomes("asks_site", 2));
            REQUIRE(rig.site.asked.size() == 3);
            CHECK(rig.site.asked[0].credential.name == "default");
            CHECK(rig.site.asked[0].method == "find");
            CHECK(rig.site.asked[0].callback.empty());
            const auto& update = rig.site.asked[1];
            CHECK(update.plugin == "asks_site");
            CHECK(update.callback == "asks");
            CHECK(update.credential.name == "writer");
            CHECK(update.event == 12);
            CHECK(update.method == "update");
            CHECK(nlohmann::json::parse(update.arguments)["data"]["code"] == "x");
            CHECK(rig.owner.outcomes["asks_site"][0].ok);
            CHECK(rig.owner.outcomes["asks_site"][1].cause == Cause::permission);
            CHECK(rig.owner.outcomes["asks_site"][1].error == "not yours");
            CHECK(rig.wait([&] {
                return rig.logs["asks_site"].count(
                           "key 12/asks_site/https://site.example asks args {\"mine\":1} "
                           "callback=asks event=12") == 1;
            }));
        }
    }
}

TEST_CASE("a plugin hears how its transfer gets on, and what it throws then ends it") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"transfers"});
            rig.options.defaults.isolation = isolation;
            rig.start();
            REQUIRE(rig.wait_ready("transfers"));
            rig.deliver("transfers", {{make_event(1), {0}, 1, false}, {make_event(2), {0}, 1, false}});
            const auto says = [&](const char* line) {
                return rig.wait([&] { return rig.logs["transfers"].count(line) == 1; });
            };
            REQUIRE(rig.wait([&] { return rig.site.waiting.size() == 1; }));
            REQUIRE(rig.site.asked[0].progress);
            rig.site.asked[0].progress(5, 20);
            CHECK(says("sent 5 of 20 callback"));
            rig.site.asked[0].progress(20, std::nullopt);
            CHECK(says("sent 20 of ? callback"));
            rig.site.waiting[0](std::string("77"));
            REQUIRE(rig.wait([&] { return rig.site.waiting.size() == 2; }));
            rig.site.asked[1].progress(1, 2);
            REQUIRE(rig.wait_outcomes("transfers", 2));
            CHECK(rig.owner.outcomes["transfers"][0].ok);
            CHECK(rig.owner.outcomes["transfers"][1].error == "std::runtime_error: enough");
            CHECK(rig.wait([&] { return rig.site.stops[1].stop_requested(); }));
            rig.site.asked[1].progress(2, 2);  // nobody listens
            rig.site.waiting[1](std::string("78"));
            CHECK(rig.owner.ends.empty());
        }
    }
}

TEST_CASE("a callback may tell later, from another thread, that it is done") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"answers_later"});
            rig.options.defaults.isolation = isolation;
            rig.start();
            REQUIRE(rig.wait_ready("answers_later"));
            rig.deliver("answers_later", 5);
            rig.deliver("answers_later", 6, "Bad");
            REQUIRE(rig.wait_outcomes("answers_later", 2));
            CHECK(rig.owner.outcomes["answers_later"][0].ok);
            CHECK(rig.owner.outcomes["answers_later"][1].error == "the far end hung up");
            CHECK(rig.wait([&] { return rig.logs["answers_later"].count("later {\"n\":50}") == 1; }));
        }
    }
}

TEST_CASE("C68 a thrown value that is no exception is a failure with a message") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"throws_int"});
            rig.options.defaults.isolation = isolation;
            rig.start();
            REQUIRE(rig.wait_ready("throws_int"));
            rig.deliver("throws_int", 1, "Bad");
            rig.deliver("throws_int", 2);
            REQUIRE(rig.wait_outcomes("throws_int", 2));
            CHECK_FALSE(rig.owner.outcomes["throws_int"][0].ok);
            CHECK(rig.owner.outcomes["throws_int"][0].error ==
                  "threw a value of type 'int', which is not a std::exception");
            CHECK(rig.owner.outcomes["throws_int"][1].ok);
            CHECK(rig.owner.ends.empty());
        }
    }
}

TEST_CASE("what a plugin prints and logs reaches its log") {
    Rig rig({"good"});
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    rig.deliver("good", {{make_event(7, "Say"), {0}, 3, true}});
    CHECK(
        rig.wait([&] { return rig.logs["good"].count("said 7 for the 3. time callback=all event=7") == 1; }));
}

TEST_CASE("an orderly stop lets the event that runs finish, and drops what was not begun") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"asks_site"});
            rig.options.defaults.isolation = isolation;
            rig.site.answer = [](const auto&) -> host::SiteAnswer { return std::string("{}"); };
            rig.start();
            REQUIRE(rig.wait_ready("asks_site"));
            rig.site.answer = nullptr;
            rig.deliver("asks_site", {{make_event(1), {0}, 1, false}, {make_event(2), {0}, 1, false}});
            REQUIRE(rig.wait([&] { return rig.site.waiting.size() == 1; }));
            std::optional<plugins::StopReport> report;
            rig.set->stop(20s, [&](plugins::StopReport done) { report = std::move(done); });
            rig.loop.run_ready();
            CHECK_FALSE(report);
            rig.site.waiting[0](std::string("{}"));
            REQUIRE(rig.wait([&] { return report.has_value(); }));
            CHECK(report->killed.empty());
            CHECK(report->abandoned.empty());
            CHECK(rig.owner.outcomes["asks_site"].size() == 1);
            REQUIRE(rig.owner.ends.size() == 1);
            CHECK(rig.owner.ends[0].end.running.empty());
        }
    }
}

TEST_CASE("a stop past its time asks the call to end, whose request is stopped with it") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"asks_site"});
            rig.options.defaults.isolation = isolation;
            rig.options.kill_grace = 5s;
            rig.site.answer = [](const auto&) -> host::SiteAnswer { return std::string("{}"); };
            rig.start();
            REQUIRE(rig.wait_ready("asks_site"));
            rig.site.answer = nullptr;
            rig.deliver("asks_site", 1);
            REQUIRE(rig.wait([&] { return rig.site.waiting.size() == 1; }));
            std::optional<plugins::StopReport> report;
            rig.set->stop(1ms, [&](plugins::StopReport done) { report = std::move(done); });
            REQUIRE(rig.wait([&] { return report.has_value(); }));
            CHECK(report->killed.empty());
            CHECK(rig.site.stops[0].stop_requested());
            REQUIRE(rig.owner.outcomes["asks_site"].size() == 1);
            CHECK(rig.owner.outcomes["asks_site"][0].cause == Cause::stopped);
        }
    }
}

TEST_CASE("a new generation takes over between two events while the old one finishes") {
    for (const auto isolation : {Isolation::process, Isolation::thread}) {
        DYNAMIC_SECTION(name_of(isolation)) {
            Rig rig({"asks_site"});
            rig.options.defaults.isolation = isolation;
            const auto at_once = [](const auto&) -> host::SiteAnswer { return std::string("{}"); };
            rig.site.answer = at_once;
            rig.start();
            REQUIRE(rig.wait_ready("asks_site"));
            const auto old = rig.owner.ready["asks_site"];
            rig.site.answer = nullptr;
            rig.deliver("asks_site", 1);
            REQUIRE(rig.wait([&] { return rig.site.waiting.size() == 1; }));
            rig.site.answer = at_once;
            rig.set->load("asks_site");
            REQUIRE(rig.wait_ready("asks_site", 2));
            CHECK(rig.owner.ready["asks_site"]->number() == old->number() + 1);
            CHECK(rig.owner.ends.empty());
            rig.deliver("asks_site", 2);
            REQUIRE(rig.wait_outcomes("asks_site", 1));
            CHECK(rig.owner.outcomes["asks_site"][0].event == 2);
            rig.site.waiting[0](std::string("{}"));
            REQUIRE(rig.wait([&] { return rig.owner.ends.size() == 1; }));
            CHECK(rig.owner.ends[0].generation == old->number());
            CHECK(rig.owner.outcomes["asks_site"].size() == 2);
        }
    }
}

TEST_CASE("a new build that is refused leaves the old one serving") {
    Rig rig({"good"});
    rig.start();
    REQUIRE(rig.wait_ready("good"));
    rig.add("throws_in_registration", "good");
    rig.set->load("good");
    REQUIRE(rig.wait([&] { return !rig.owner.refusals.empty(); }));
    CHECK(rig.set->status().front().stage == plugins::Stage::serving);
    rig.deliver("good", 1);
    CHECK(rig.wait_outcomes("good", 1));
    CHECK(rig.owner.ends.empty());
}
