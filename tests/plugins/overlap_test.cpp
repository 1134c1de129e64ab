// Calls that overlap: who runs beside whom, in a process and in a thread.

#include <algorithm>

#include "plugins/rig.hpp"

namespace overlap_test {

using namespace sg;
using namespace sg::test;
using plugins::Isolation;

namespace {

using Ids = std::vector<EventId>;

/// Callbacks of the plugin, as it registers them.
enum : std::uint16_t { by_project, free_of_order, by_key, one, by_entity };

struct Overlap {
    explicit Overlap(Isolation isolation, std::optional<std::chrono::milliseconds> hard_deadline = {}) {
        rig.options.defaults.isolation = isolation;
        if (hard_deadline) rig.options.defaults.hard_deadline = hard_deadline;
        rig.options.requests_at_once = 64;
        rig.options.kill_grace = 30s;
        rig.start();
        REQUIRE(rig.wait_ready("overlaps"));
    }
    void deliver(std::vector<plugins::Delivery> batch) { rig.deliver("overlaps", std::move(batch)); }

    /// Events whose calls wait for the site, once there are so many.
    Ids waiting(std::size_t count) {
        REQUIRE(rig.wait([&] { return rig.site.asked.size() - answered.size() >= count; }));
        Ids ids;
        for (std::size_t i = 0; i < rig.site.asked.size(); ++i)
            if (std::find(answered.begin(), answered.end(), i) == answered.end())
                ids.push_back(rig.site.asked[i].event);
        std::sort(ids.begin(), ids.end());
        return ids;
    }
    /// Lets the call of this event go on.
    void answer(EventId event) {
        for (std::size_t i = 0; i < rig.site.asked.size(); ++i)
            if (rig.site.asked[i].event == event &&
                std::find(answered.begin(), answered.end(), i) == answered.end()) {
                answered.push_back(i);
                return rig.site.waiting[i](std::string("[]"));
            }
        FAIL("event " << event << " does not wait");
    }
    const std::vector<plugins::Outcome>& outcomes() { return rig.owner.outcomes["overlaps"]; }

    Rig rig{{"overlaps"}};
    std::vector<std::size_t> answered;  // indexes of requests
};

plugins::Delivery event(EventId id, host::CallbackList callbacks, EntityId project = 7,
                        const std::string& type = "Fine") {
    return {make_event(id, type, "", 0, project), std::move(callbacks), 1, false};
}

/// About a Shot, or about nothing.
plugins::Delivery about(EventId id, std::optional<EntityId> shot) {
    const auto link = shot ? nlohmann::json{{"type", "Shot"}, {"id", *shot}} : nlohmann::json();
    const auto text = nlohmann::json{{"id", id}, {"event_type", "Fine"}, {"entity", link}}.dump();
    sg::event::EventRow row;
    row.id = id;
    row.type = "Fine";
    row.raw = text;
    return {sg::event::detach(row), {by_entity}, 1, false};
}

template <class Test>
void in_both(Test test) {
    for (const auto isolation : {Isolation::process, Isolation::thread})
        DYNAMIC_SECTION((isolation == Isolation::thread ? "thread" : "process")) { test(isolation); }
}

}  // namespace

TEST_CASE("C80 events about different entities overlap, those about one or about none are in order") {
    in_both([](Isolation isolation) {
        Overlap plugin(isolation);
        plugin.deliver(
            {about(1, 5), about(2, 5), about(3, 6), about(4, std::nullopt), about(5, std::nullopt)});
        CHECK(plugin.waiting(3) == Ids{1, 3, 4});
        plugin.answer(1);
        CHECK(plugin.waiting(3) == Ids{2, 3, 4});
        plugin.answer(4);
        CHECK(plugin.waiting(3) == Ids{2, 3, 5});
        for (const EventId id : {2, 3, 5}) plugin.answer(id);
        CHECK(plugin.rig.wait_outcomes("overlaps", 5));
    });
}

TEST_CASE("C80 events of different projects overlap, those of one are in order, up to the number of calls") {
    in_both([](Isolation isolation) {
        Overlap plugin(isolation);
        std::vector<plugins::Delivery> batch;
        for (EventId id = 1; id <= 12; ++id) batch.push_back(event(id, {by_project}, id % 4));
        plugin.deliver(std::move(batch));
        // Four projects, three calls.
        CHECK(plugin.waiting(3) == Ids{1, 2, 3});
        plugin.answer(2);
        CHECK(plugin.waiting(3) == Ids{1, 3, 4});  // 4 is older than 6, which is of the project of 2
        plugin.answer(1);
        CHECK(plugin.waiting(3) == Ids{3, 4, 5});
        for (const EventId id : {3, 4, 5}) plugin.answer(id);
        CHECK(plugin.waiting(3) == Ids{6, 7, 8});
        for (const EventId id : {8, 7, 6}) plugin.answer(id);
        CHECK(plugin.waiting(3) == Ids{9, 10, 11});
        for (const EventId id : {9, 10, 11}) plugin.answer(id);
        CHECK(plugin.waiting(1) == Ids{12});
        plugin.answer(12);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 12));
        for (const auto& outcome : plugin.outcomes()) CHECK(outcome.ok);
    });
}

TEST_CASE(
    "C80 without an order any events overlap, and by a key of the plugin's own those that differ in it") {
    in_both([](Isolation isolation) {
        Overlap plugin(isolation);
        plugin.deliver({event(1, {free_of_order}), event(2, {free_of_order}), event(3, {free_of_order})});
        CHECK(plugin.waiting(2) == Ids{1, 2});
        plugin.answer(2);
        CHECK(plugin.waiting(2) == Ids{1, 3});
        plugin.answer(1);
        plugin.answer(3);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 3));
        plugin.deliver({event(11, {by_key}), event(13, {by_key}), event(12, {by_key}), event(14, {by_key})});
        CHECK(plugin.waiting(2) == Ids{11, 12});
        plugin.answer(12);
        CHECK(plugin.waiting(2) == Ids{11, 14});
        plugin.answer(11);
        CHECK(plugin.waiting(2) == Ids{13, 14});
        plugin.answer(13);
        plugin.answer(14);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 7));
    });
}

TEST_CASE("an event runs its callbacks one after another, and waits for the one that may not overlap") {
    in_both([](Isolation isolation) {
        Overlap plugin(isolation);
        plugin.deliver(
            {event(1, {free_of_order, one}), event(2, {free_of_order, one}), event(3, {free_of_order})});
        CHECK(plugin.waiting(2) == Ids{1, 3});
        plugin.answer(1);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 1));
        CHECK(plugin.waiting(2) == Ids{1, 3});  // its second callback
        plugin.answer(1);
        CHECK(plugin.waiting(2) == Ids{2, 3});
        plugin.answer(3);
        plugin.answer(2);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 4));
        CHECK(plugin.waiting(1) == Ids{2});
        plugin.answer(2);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 5));
    });
}

TEST_CASE("an outcome does not wait for the calls beside it, and a failure is that of its own event") {
    in_both([](Isolation isolation) {
        Overlap plugin(isolation);
        plugin.deliver({event(1, {free_of_order}), event(2, {free_of_order}, 7, "Throw")});
        CHECK(plugin.waiting(2) == Ids{1, 2});
        plugin.answer(2);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 1));
        CHECK(plugin.outcomes()[0].event == 2);
        CHECK_FALSE(plugin.outcomes()[0].ok);
        plugin.answer(1);
        REQUIRE(plugin.rig.wait_outcomes("overlaps", 2));
        CHECK(plugin.outcomes()[1].ok);
    });
}

TEST_CASE("a crash beside other calls names all that were running, and no other") {
    Overlap plugin(Isolation::process);
    plugin.deliver(
        {event(1, {by_key}), event(2, {by_key}, 7, "Crash"), event(3, {by_key}), event(4, {by_key})});
    CHECK(plugin.waiting(2) == Ids{1, 2});
    plugin.answer(2);
    REQUIRE(plugin.rig.wait([&] { return !plugin.rig.owner.ends.empty(); }));
    Ids running;
    for (const auto& call : plugin.rig.owner.ends[0].end.running) running.push_back(call.event);
    std::sort(running.begin(), running.end());
    CHECK(running == Ids{1, 2});
    CHECK(plugin.outcomes().empty());
}

TEST_CASE("calls that overlap are asked to end when the plugin stops, and the host ends in order") {
    in_both([](Isolation isolation) {
        Overlap plugin(isolation);
        plugin.deliver({event(1, {free_of_order}), event(2, {free_of_order}), event(3, {free_of_order})});
        CHECK(plugin.waiting(2) == Ids{1, 2});
        bool stopped = false;
        plugin.rig.set->stop(0ms, [&](const auto& report) {
            stopped = true;
            CHECK(report.killed.empty());
        });
        REQUIRE(plugin.rig.wait([&] { return stopped; }));
        REQUIRE(plugin.outcomes().size() == 2);
        for (const auto& outcome : plugin.outcomes()) CHECK(outcome.cause == Cause::stopped);
        REQUIRE(plugin.rig.site.asked.size() == 2);
    });
}

TEST_CASE("a call that passes its hard deadline beside others is ended, and asked first") {
    Overlap plugin(Isolation::process, 200ms);
    plugin.deliver({event(1, {free_of_order}), event(2, {free_of_order})});
    CHECK(plugin.waiting(2) == Ids{1, 2});
    // A call of the site that is asked to stop ends the callback: nobody needs to be killed.
    REQUIRE(plugin.rig.wait_outcomes("overlaps", 2));
    for (const auto& outcome : plugin.outcomes()) CHECK(outcome.cause == Cause::stopped);
    CHECK(plugin.rig.logs["overlaps"].count("[CALL-OVERDUE]") == 2);
    CHECK(plugin.rig.owner.ends.empty());
}

}  // namespace overlap_test
