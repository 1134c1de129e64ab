// The events that the status page lists.

#include "service/recent_events.hpp"

#include "catch.hpp"

using namespace sg;

namespace {

void call(service::RecentEvents& recent, EventId id, const std::string& plugin, bool ok = true) {
    event::EventRow row;
    row.id = id;
    row.type = "Shotgun_Shot_Change";
    recent.add({plugin, 0, "on_change", row, std::chrono::microseconds(1500), ok, true});
}

}  // namespace

TEST_CASE("the last events are kept with what each callback made of them, and older ones make room") {
    service::RecentEvents recent;
    CHECK(recent.list().empty());
    call(recent, 1, "a");
    call(recent, 1, "b", false);
    call(recent, 2, "a");
    call(recent, 1, "b");
    auto listed = recent.list();
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].event == 2);
    REQUIRE(listed[1].calls.size() == 2);
    CHECK(listed[1].calls[1].ok);
    CHECK(listed[1].calls[1].calls == 2);
    for (EventId id = 3; id <= 60; ++id) call(recent, id, "a");
    listed = recent.list();
    REQUIRE(listed.size() == service::RecentEvents::places);
    CHECK(listed.front().event == 60);
    CHECK(listed.back().event == 11);
    CHECK(listed.front().calls.size() == 1);
}

TEST_CASE("of an event that very many callbacks want some are listed and the others counted") {
    service::RecentEvents recent;
    for (int i = 0; i < 1000; ++i) call(recent, 7, "plugin_" + std::to_string(i));
    const auto listed = recent.list();
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].calls.size() == service::RecentEvents::most_calls);
    CHECK(listed[0].more_calls == 1000 - service::RecentEvents::most_calls);
}
