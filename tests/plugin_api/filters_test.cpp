// Filters made of C++, and that what is wrong with them shows before anything is sent.

#include <limits>
#include <set>
#include <sg/filters.hpp>
#include <sg/testing.hpp>

#include "catch.hpp"

using namespace sg;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const EntityRef shot{"Shot", 862, "sh010"};

template <class Make>
bool throws_invalid(Make make) {
    try {
        make();
    } catch (const Error& error) {
        return error.cause() == Cause::invalid;
    }
    return false;
}

template <class T>
concept CanBeLess = requires(const T& value) {
    field("x").less_than(value);
};
template <class T>
concept CanBeContained = requires(const T& value) {
    field("x").contains(value);
};
template <class T>
concept CanBeEqual = requires(const T& value) {
    field("x").is(value);
};
template <class T>
concept CanBeFilter = requires(const T& value) {
    json(value);
};
enum class Colour { red };

// What cannot be meant does not compile.
static_assert(CanBeLess<int> && CanBeLess<double> && CanBeLess<UtcTime> && CanBeLess<Date> &&
              CanBeLess<std::nullptr_t> && CanBeLess<std::string>);
static_assert(!CanBeLess<bool> && !CanBeLess<EntityRef> && !CanBeLess<Colour> && !CanBeLess<int*>);
static_assert(CanBeContained<std::string> && CanBeContained<EntityRef>);
static_assert(!CanBeContained<int> && !CanBeContained<bool>);
static_assert(CanBeEqual<bool> && CanBeEqual<EntityRef> && CanBeEqual<std::int64_t>);
static_assert(!CanBeEqual<Colour> && !CanBeEqual<int*> && !CanBeEqual<char>);
static_assert(CanBeFilter<Filter> && CanBeFilter<any_of> && !CanBeFilter<Field>);

}  // namespace

TEST_CASE("each relation is written as the official client takes it") {
    struct Row {
        Filter filter;
        const char* text;
    };
    const UtcTime noon = std::chrono::sys_days(Date(2026y / 3 / 4)) + 12h + 999ms;
    const Row rows[] = {{field("code").is("a"), R"(["x","is","a"])"},
                        {field("code").is(nullptr), R"(["x","is",null])"},
                        {field("code").is_not(shot), R"(["x","is_not",{"id":862,"type":"Shot"}])"},
                        {field("code").is(true), R"(["x","is",true])"},
                        {field("code").is(9007199254740993), R"(["x","is",9007199254740993])"},
                        {field("code").less_than(5), R"(["x","less_than",5])"},
                        {field("code").greater_than(2026y / 3 / 4), R"(["x","greater_than","2026-03-04"])"},
                        {field("code").less_than(noon), R"(["x","less_than","2026-03-04T12:00:00Z"])"},
                        {field("code").less_than("2026-03-04"), R"(["x","less_than","2026-03-04"])"},
                        {field("code").contains("a"), R"(["x","contains","a"])"},
                        {field("code").contains(shot), R"(["x","contains",{"id":862,"type":"Shot"}])"},
                        {field("code").not_contains("a"), R"(["x","not_contains","a"])"},
                        {field("code").starts_with("a"), R"(["x","starts_with","a"])"},
                        {field("code").ends_with("a"), R"(["x","ends_with","a"])"},
                        {field("code").between(1, 5), R"(["x","between",[1,5]])"},
                        {field("code").not_between(1.5, 5), R"(["x","not_between",[1.5,5]])"},
                        {field("code").in({"a", "b"}), R"(["x","in",["a","b"]])"},
                        {field("code").in({shot, nullptr}), R"(["x","in",[{"id":862,"type":"Shot"},null]])"},
                        {field("code").in(std::vector<int>{1}), R"(["x","in",[1]])"},
                        {field("code").not_in({}), R"(["x","not_in",[]])"},
                        {field("code").in_last(2, TimeUnit::day), R"(["x","in_last",[2,"DAY"]])"},
                        {field("code").not_in_last(1, TimeUnit::hour), R"(["x","not_in_last",[1,"HOUR"]])"},
                        {field("code").in_next(2, TimeUnit::week), R"(["x","in_next",[2,"WEEK"]])"},
                        {field("code").not_in_next(2, TimeUnit::year), R"(["x","not_in_next",[2,"YEAR"]])"},
                        {field("code").in_calendar_day(0), R"(["x","in_calendar_day",0])"},
                        {field("code").in_calendar_week(-1), R"(["x","in_calendar_week",-1])"},
                        {field("code").in_calendar_month(1), R"(["x","in_calendar_month",1])"},
                        {field("code").in_calendar_year(0), R"(["x","in_calendar_year",0])"},
                        {field("code").type_is("Shot"), R"(["x","type_is","Shot"])"},
                        {field("code").type_is_not("Shot"), R"(["x","type_is_not","Shot"])"},
                        {field("code").name_is("a"), R"(["x","name_is","a"])"},
                        {field("code").name_contains("a"), R"(["x","name_contains","a"])"},
                        {field("code").name_not_contains("a"), R"(["x","name_not_contains","a"])"},
                        {field("code").name_starts_with("a"), R"(["x","name_starts_with","a"])"},
                        {field("code").name_ends_with("a"), R"(["x","name_ends_with","a"])"}};
    std::set<std::string> seen;
    for (const auto& row : rows) {
        auto expected = json::parse(row.text);
        expected[0] = "code";
        CHECK(json(row.filter).dump() == expected.dump());
        seen.insert(expected[1].get<std::string>());
    }
    CHECK(seen.size() == detail::relations.size());
}

TEST_CASE("groups nest, and go wherever filters go") {
    const Filter nested = all_of{field("entity").is(shot), any_of{field("a").is(1), field("b").is(2)}};
    CHECK(json(nested) == json::parse(R"({"filter_operator": "all", "filters": [
        ["entity", "is", {"type": "Shot", "id": 862}],
        {"filter_operator": "any", "filters": [["a", "is", 1], ["b", "is", 2]]}]})"));
    CHECK(json(all_of{}) == json::parse(R"({"filter_operator": "all", "filters": []})"));
    CHECK(json(any_of{std::vector<Filter>{field("a").is(1)}})["filters"].size() == 1);

    testing::FakeSite site;
    const auto one = site.add("Task", {{"content", "comp"}, {"entity", shot}});
    site.add("Task", {{"content", "anim"}, {"entity", shot}});
    const auto comp = field("content").is("comp");
    CHECK(site.find("Task", comp).size() == 1);
    CHECK(site.find("Task", {comp}).size() == 1);
    CHECK(site.find("Task", {comp, field("entity").is(shot)}).size() == 1);
    CHECK(site.find("Task", all_of{}).size() == 2);
    CHECK(site.find("Task", any_of{comp, field("content").is("anim")}).size() == 2);
    CHECK(site.find("Task", {any_of{comp, field("content").is("anim")}, field("id").is(one.id)}).size() == 1);
    CHECK(site.seen().back().arguments["filters"].is_array());
}

TEST_CASE("what makes no sense is refused where it is written") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(throws_invalid([] { field(""); }));
    CHECK(throws_invalid([] { field("entity.Shot"); }));
    CHECK(throws_invalid([] { field("entity..code"); }));
    CHECK(throws_invalid([] { field(".code"); }));
    CHECK(throws_invalid([] { field("entity.Shot."); }));
    CHECK(throws_invalid([] { field("x").in_last(0, TimeUnit::day); }));
    CHECK(throws_invalid([] { field("x").in_next(-1, TimeUnit::day); }));
    CHECK(throws_invalid([&] { field("x").is(nan); }));
    CHECK(throws_invalid([] { field("x").is(std::numeric_limits<std::uint64_t>::max()); }));
    CHECK(throws_invalid([] { field("x").is(json::array({1})); }));
    CHECK(throws_invalid([] { field("x").less_than(2026y / 2 / 30); }));
    CHECK(throws_invalid([] { any_of{}; }));
    CHECK(throws_invalid([] { field("x").relation("equals", {1}); }));
    CHECK(throws_invalid([] { field("x").relation("is", {}); }));
    CHECK(throws_invalid([] { field("x").relation("is", {1, 2}); }));
    CHECK(throws_invalid([] { field("x").relation("between", {1}); }));
    CHECK(throws_invalid([] { field("x").relation("between", {1, 2, 3}); }));
    CHECK(throws_invalid([] { field("x").relation("in_last", {1, "day"}); }));
    CHECK(throws_invalid([] { field("x").relation("in_last", {"DAY", 1}); }));
    CHECK(throws_invalid([] { field("x").relation("in_calendar_day", {"0"}); }));
    CHECK(throws_invalid([] { field("x").relation("starts_with", {1}); }));
    CHECK(throws_invalid([] { field("x").relation("contains", {1}); }));
    CHECK_FALSE(throws_invalid([] { field("x").relation("in_last", {1, "DAY"}); }));
    CHECK_FALSE(throws_invalid([] { field("sg_task.Task.step.Step.code").is("x"); }));
}
