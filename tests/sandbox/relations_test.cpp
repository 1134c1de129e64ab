// Every relation with every data type: what matches, and which pairs are refused.
#include <algorithm>
#include <set>

#include "catch.hpp"
#include "samples.hpp"

namespace relations_test {

using namespace sg;
using namespace sg::test;

TEST_CASE("every relation of every data type matches what the protocol says") {
    Samples s;
    std::size_t pairs = 0;
    for (const auto type : sandbox::data_types()) {
        const std::string name(sandbox::name_of(type));
        REQUIRE(table().contains(name));
        for (const auto& c : table().at(name)) {
            INFO(name << " " << c.relation << " " << c.values.dump());
            const auto rows = s.ask(name, c.relation, c.values);
            INFO(rows.dump());
            REQUIRE(rows.is_array());
            CHECK(ids(rows) == c.expected);
            ++pairs;
        }
    }
    CHECK(pairs > 150);
}

TEST_CASE("every other pair of data type and relation is refused by name") {
    Samples s;
    std::size_t refused = 0;
    for (const auto& [type, cases] : table())
        for (const auto& relation : relations) {
            std::set<std::string> known;
            for (const auto& c : cases) known.insert(c.relation);
            if (known.contains(relation)) continue;
            INFO(type << " " << relation);
            const auto fault = s.ask(type, relation, list({nullptr}));
            REQUIRE(fault.is_object());
            CHECK(fault["error_code"] == 103);
            const auto text = fault["message"].get<std::string>();
            CHECK(text.find("Sample." + type) != std::string::npos);
            CHECK(text.find("'" + type + "'") != std::string::npos);
            ++refused;
        }
    CHECK(refused > 400);
}

TEST_CASE("a condition with a value of the wrong kind or number is refused") {
    Samples s;
    const auto refused = [&](const std::string& field, const std::string& relation, const Json& values) {
        const auto fault = s.ask(field, relation, values);
        INFO(field << " " << relation << " " << values.dump() << " " << fault.dump());
        REQUIRE(fault.is_object());
        CHECK(fault["error_code"] == 103);
    };
    for (const auto& [type, cases] : table()) {
        if (cases.empty() || type == "jsonb") continue;
        refused(type, "is", list({}));
        refused(type, "is", list({nullptr, nullptr}));
        refused(type, "is", list({Json::object()}));
    }
    refused("number", "is", list({1.5}));
    refused("number", "is", list({"1"}));
    refused("number", "between", list({1}));
    refused("text", "is", list({5}));
    refused("text", "starts_with", list({nullptr}));
    refused("text", "in", list({}));
    refused("text", "in", list({"a", 5}));
    refused("checkbox", "is", list({nullptr}));
    refused("date", "is", list({"2026-02-30"}));
    refused("date", "is", list({"2026-03-04T00:00:00Z"}));
    refused("date_time", "is", list({""}));
    refused("date_time", "is", list({"2026-03-04 05:06:07"}));
    refused("date_time", "is", list({1772600767}));
    refused("date", "in_last", list({0, "DAY"}));
    refused("date", "in_last", list({1.5, "DAY"}));
    refused("date", "in_last", list({1, "day"}));
    refused("date", "in_last", list({1}));
    refused("date", "in_calendar_day", list({"0"}));
    refused("entity", "in", list({1, 2}));
    refused("entity", "in", list({Json{{"id", 1}}}));
    refused("entity", "type_is", list({user(1)}));
    refused("entity", "name_is", list({nullptr}));
    refused("image", "is", list({"x"}));
}

TEST_CASE("today follows the site's zone across the change of the clocks, the UTC calendar does not") {
    Samples s;
    const auto at = [&](const std::string& time) {
        s.site.shift_clock(*sandbox::read_date_time(time) - s.site.now());
        s.site.update({}, "Sample", 4, {{"date", time.substr(0, 10)}, {"date_time", time}});
    };
    const auto is_today = [&](const std::string& field) {
        return ids(s.ask(field, "in_calendar_day", list({0}))) == Ids{4};
    };
    at("2026-03-28T22:59:59Z");  // winter: an hour before UTC's midnight is midnight
    CHECK(is_today("date"));
    at("2026-03-28T23:00:00Z");
    CHECK_FALSE(is_today("date"));
    CHECK(is_today("date_time"));
    at("2026-03-29T21:59:59Z");  // summer: two hours
    CHECK(is_today("date"));
    at("2026-03-29T22:00:00Z");
    CHECK_FALSE(is_today("date"));
    CHECK(is_today("date_time"));
    at("2026-10-25T22:59:59Z");  // winter again
    CHECK(is_today("date"));
    at("2026-10-25T23:00:00Z");
    CHECK_FALSE(is_today("date"));
}

TEST_CASE(
    "a month before the 31st is the last day of a shorter month, and a year before 29 February the 28th") {
    Samples s;
    const auto last_month = [&](const std::string& now, const std::string& unit, const std::string& edge) {
        s.site.shift_clock(*sandbox::read_date_time(now) - s.site.now());
        s.site.update({}, "Sample", 4, {{"date", edge}});
        const auto rows = ids(s.ask("date", "in_last", list({1, unit})));
        return std::ranges::find(rows, 4) != rows.end();
    };
    CHECK(last_month("2026-03-31T12:00:00Z", "MONTH", "2026-02-28"));
    CHECK_FALSE(last_month("2026-03-31T12:00:00Z", "MONTH", "2026-02-27"));
    CHECK(last_month("2028-03-31T12:00:00Z", "MONTH", "2028-02-29"));
    CHECK(last_month("2026-12-31T12:00:00Z", "MONTH", "2026-11-30"));
    CHECK_FALSE(last_month("2026-12-31T12:00:00Z", "MONTH", "2026-11-29"));
    CHECK(last_month("2028-02-29T12:00:00Z", "YEAR", "2027-02-28"));
    CHECK_FALSE(last_month("2028-02-29T12:00:00Z", "YEAR", "2027-02-27"));
}

TEST_CASE("weeks begin on Monday unless the site says Sunday") {
    ManualClock clock;
    for (const bool sunday : {false, true}) {
        sandbox::Site site({.clock = &clock, .schema = sample_schema, .weeks_begin_on_sunday = sunday});
        site.shift_clock(*sandbox::read_date_time("2026-03-29T12:00:00Z") - site.now());  // a Sunday
        site.add("Sample", {{"date", "2026-03-28"}});
        site.add("Sample", {{"date", "2026-03-30"}});
        RawClient client(site.url());
        const auto rows = client.rows("Sample", {condition("date", "in_calendar_week", 0)}, {"id"});
        CHECK(ids(rows) == (sunday ? Ids{2} : Ids{1}));
    }
}

}  // namespace relations_test
