// The event log as a client reads it.
#include <chrono>

#include "catch.hpp"
#include "raw_http.hpp"
#include "sandbox/site.hpp"

namespace events_test {

using namespace sg;
using namespace sg::test;
using Ids = std::vector<std::int64_t>;

namespace {
const Json all_fields{"id",   "event_type", "attribute_name", "meta",      "entity",
                      "user", "project",    "session_uuid",   "created_at"};
const Json ascending{{"sorts", {{{"field_name", "id"}, {"direction", "asc"}}}}};
}  // namespace

TEST_CASE("a poll gets the rows after an id, ascending, a page at a time") {
    sandbox::Site site;
    site.add_events(1200, "Shotgun_Shot_Change", "code");
    RawClient client(site.url());
    auto more = ascending;
    more["paging"] = {{"entities_per_page", 500}, {"current_page", 1}};
    const auto rows = client.rows("EventLogEntry", {condition("id", "greater_than", 600)}, all_fields, more);
    REQUIRE(rows.size() == 500);
    CHECK(rows.front()["id"] == 601);
    CHECK(rows.back()["id"] == 1100);
    CHECK(rows.front()["event_type"] == "Shotgun_Shot_Change");
    CHECK(rows.front()["meta"].is_null());
    more["paging"]["current_page"] = 2;
    CHECK(client.rows("EventLogEntry", {condition("id", "greater_than", 600)}, all_fields, more).size() ==
          100);
}

TEST_CASE("the newest id is one row in descending order") {
    sandbox::Site site;
    site.add_events(3, "A_B_C");
    RawClient client(site.url());
    const Json more{{"sorts", {{{"field_name", "id"}, {"direction", "desc"}}}},
                    {"paging", {{"entities_per_page", 1}, {"current_page", 1}}}};
    CHECK(ids(client.rows("EventLogEntry", {}, {"id"}, more)) == Ids{3});
    CHECK(site.newest_id() == 3);
}

TEST_CASE("a hidden row appears when it is shown, in its place") {
    sandbox::Site site;
    site.add_events(5, "A_B_C");
    site.hide(3);
    RawClient client(site.url());
    CHECK(ids(client.rows("EventLogEntry", {}, {"id"})) == Ids{1, 2, 4, 5});
    CHECK(client.rows("EventLogEntry", {condition("id", "in", {3})}, {"id"}).empty());
    site.show(3);
    CHECK(ids(client.rows("EventLogEntry", {condition("id", "between", {2, 4})}, {"id"})) == Ids{2, 3, 4});
}

TEST_CASE("event ids above 2^53 travel as they are") {
    sandbox::Site site;
    site.set_next_event_id((std::int64_t{1} << 53) + 1);
    const auto id = site.add_event({.meta = {{"type", "x"}}});
    site.skip_event_ids(10);
    const auto next = site.add_event({});
    RawClient client(site.url());
    const auto rows = client.rows("EventLogEntry", {condition("id", "greater_than", id - 1)}, {"id", "meta"});
    CHECK(ids(rows) == Ids{id, id + 11});
    CHECK(next == id + 11);
    CHECK(rows[0]["meta"] == Json{{"type", "x"}});
}

TEST_CASE("a row may be null wherever the site allows it, and its meta may be huge") {
    sandbox::Site site;
    sandbox::EventSpec bare;
    bare.event_type.reset();
    bare.dated = false;
    site.add_event(bare);
    sandbox::EventSpec huge;
    huge.meta = {{"text", std::string(4 << 20, 'x')}};
    site.add_event(huge);
    RawClient client(site.url());
    const auto rows = client.rows("EventLogEntry", {}, all_fields);
    REQUIRE(rows.size() == 2);
    for (const auto* field :
         {"event_type", "attribute_name", "meta", "entity", "user", "project", "session_uuid", "created_at"})
        CHECK(rows[0].at(field).is_null());
    CHECK(rows[1]["meta"]["text"].get<std::string>().size() == 4 << 20);
}

TEST_CASE("events can be filtered by everything but meta") {
    sandbox::Site site;
    const auto project = site.add("Project", {{"name", "Aurora"}});
    site.add_event(
        {.event_type = "A_B_C", .project = {{"type", "Project"}, {"id", project}}, .session_uuid = "u1"});
    site.add_event({.event_type = "A_B_D"});
    RawClient client(site.url());
    CHECK(ids(client.rows("EventLogEntry", {condition("event_type", "is", "a_b_d")}, {"id"})) == Ids{2});
    CHECK(ids(client.rows("EventLogEntry", {condition("event_type", "in", {"A_B_C", "x"})}, {"id"})) ==
          Ids{1});
    CHECK(ids(client.rows("EventLogEntry", {condition("session_uuid", "is", "u1")}, {"id"})) == Ids{1});
    CHECK(ids(client.rows("EventLogEntry", {condition("project.Project.name", "is", "aurora")}, {"id"})) ==
          Ids{1});
    CHECK(ids(client.rows("EventLogEntry", {condition("created_at", "in_last", {1, "HOUR"})}, {"id"})) ==
          Ids{1, 2});
    const auto fault = client.rows("EventLogEntry", {condition("meta", "is", "x")}, {"id"});
    CHECK(fault["error_code"] == 103);
}

TEST_CASE("a page of 500 out of a million rows costs no more than out of a thousand") {
    using namespace std::chrono;
    sandbox::Site site;
    site.add_events(1'000'000, {.attribute_name = "code", .meta = {{"type", "attribute_change"}}});
    RawClient client(site.url());
    const auto page_after = [&](std::int64_t id) {
        const auto begin = steady_clock::now();
        const auto rows = client.call(
            "read", {{"type", "EventLogEntry"},
                     {"return_fields", all_fields},
                     {"paging", {{"entities_per_page", 500}, {"current_page", 1}}},
                     {"filters",
                      {{"logical_operator", "and"}, {"conditions", {condition("id", "greater_than", id)}}}}});
        REQUIRE(rows.status == 200);
        return steady_clock::now() - begin;
    };
    auto best = hours(1) + nanoseconds(0);
    for (int i = 0; i < 10; ++i) best = std::min<nanoseconds>(best, page_after(999'000));
    // A walk over all rows would take tens of milliseconds; the limit has room for sanitizers.
    CHECK(duration_cast<milliseconds>(best).count() < 50);
}

}  // namespace events_test
