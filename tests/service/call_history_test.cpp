#include "service/call_history.hpp"

#include "catch.hpp"

namespace call_history_test {

using namespace sg;
using namespace std::chrono_literals;

namespace {

void ended(service::CallHistory& history, const std::string& plugin, std::size_t lane, EventId id, int second,
           bool ok = true, std::string_view callback = "one") {
    event::EventRow row;
    row.id = id;
    history.add({plugin, lane, callback, row, UtcTime(std::chrono::seconds(second)), 1500us, ok, true, 0});
}

}  // namespace

TEST_CASE("calls are remembered by plugin and event until others take their places, the oldest first") {
    service::CallHistory history(3);
    ended(history, "a", 0, 7, 1, false);
    ended(history, "b", 1, 7, 2, true, "two");
    CHECK_FALSE(history.since());
    ended(history, "a", 0, 7, 3);
    REQUIRE(history.of("a", 7).size() == 2);
    CHECK_FALSE(history.of("a", 7)[0].ok);
    CHECK(history.of("a", 7)[1].ended == UtcTime(3s));
    CHECK(history.of("a", 7)[1].took == 1500us);
    CHECK(history.of("b", 7)[0].callback == "two");
    CHECK(history.of("a", 8).empty());

    ended(history, "c", 2, 8, 4);
    CHECK(history.since() == UtcTime(2s));
    CHECK(history.of("a", 7).size() == 1);
    ended(history, "c", 2, 9, 5);
    CHECK(history.of("b", 7).empty());
    ended(history, "a", 0, 9, 6);
    CHECK(history.of("a", 7).empty());
    CHECK(history.of("a", 9).size() == 1);
}

}  // namespace call_history_test
