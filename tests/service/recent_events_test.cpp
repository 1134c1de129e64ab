// The events that the status page lists.

#include "service/recent_events.hpp"

#include <algorithm>

#include "catch.hpp"

namespace recent_events_test {

using namespace sg;

namespace {

struct Fixture {
    void call(EventId id, const std::string& plugin, std::size_t lane, bool ok = true,
              std::size_t followed_by = 0) {
        event::EventRow row;
        row.id = id;
        row.type = "Shotgun_Shot_Change";
        const dispatch::EndedCall call{plugin, lane, "on_change", row, {}, std::chrono::microseconds(1500),
                                       ok,     true, followed_by};
        history.add(call);
        recent.note(call);
    }
    service::CallHistory history;
    service::RecentEvents recent{history};
};

}  // namespace

TEST_CASE("the last events are listed with what each callback made of them, and older ones are not") {
    Fixture f;
    CHECK(f.recent.list().empty());
    f.call(1, "a", 0);
    f.call(1, "b", 1, false);
    f.call(2, "a", 0);
    f.call(1, "b", 1);
    auto listed = f.recent.list();
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].event == 1);
    CHECK(listed[0].type == "Shotgun_Shot_Change");
    REQUIRE(listed[0].calls.size() == 2);
    CHECK(listed[0].calls[0].plugin == "a");
    CHECK(listed[0].calls[1].ok);
    CHECK(listed[0].calls[1].calls == 2);
    for (EventId id = 3; id <= 60; ++id) f.call(id, "a", 0);
    listed = f.recent.list();
    REQUIRE(listed.size() == service::RecentEvents::most_events);
    CHECK(listed.front().event == 60);
    CHECK(listed.back().event == 11);
    CHECK(listed.front().calls.size() == 1);
}

TEST_CASE("what is said of the last events is right where many end at once") {
    Fixture f;
    for (EventId id = 1; id <= 300; ++id) f.call(id, "a", 0, true, static_cast<std::size_t>(300 - id));
    const auto listed = f.recent.list();
    REQUIRE(listed.size() == service::RecentEvents::most_events);
    CHECK(std::all_of(listed.begin(), listed.end(),
                      [](const auto& one) { return one.type == "Shotgun_Shot_Change"; }));
}

TEST_CASE("of an event that very many callbacks want some are listed and the others counted") {
    Fixture f;
    for (std::size_t i = 0; i < 1000; ++i) f.call(7, "plugin_" + std::to_string(i), i);
    const auto listed = f.recent.list();
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].calls.size() == service::RecentEvents::most_calls);
    CHECK(listed[0].more_calls == 1000 - service::RecentEvents::most_calls);
}

}  // namespace recent_events_test
