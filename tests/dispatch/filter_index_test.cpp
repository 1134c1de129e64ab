// Who wants an event. The five events are: a code change and a status change of a Shot, a code
// change of an Asset, a new Shot, and a login (an event without attribute).
#include "dispatch/filter_index.hpp"

#include <set>

#include "scripted.hpp"

using namespace sg;
using namespace sg::test;
using dispatch::FilterIndex;

namespace {

const std::vector<Row> five{{1, "Shotgun_Shot_Change", "code"},
                            {2, "Shotgun_Shot_Change", "sg_status_list"},
                            {3, "Shotgun_Asset_Change", "code"},
                            {4, "Shotgun_Shot_New", ""},
                            {5, "Shotgun_User_Login", ""}};

/// Which of the rows the filter lets through, asked of a real lane.
std::vector<EventId> delivered(const EventFilter& filter, std::vector<Row> rows = five) {
    Rig rig(0);
    rig.begin();
    const auto plugin = rig.load("p", {{"c", filter}});
    rig.live(rows);
    rig.run(plugin);
    return ids(plugin->journal);
}

EventFilter from(const char* json) { return EventFilter::from_json(nlohmann::json::parse(json)); }

}  // namespace

TEST_CASE("C27 no filter and an empty one let everything through") {
    CHECK(delivered(from("null")) == range(1, 5));
    CHECK(delivered(from("{}")) == range(1, 5));
}

TEST_CASE("C28 a star with a star, or with nothing, lets everything through") {
    CHECK(delivered(from(R"({"*": ["*"]})")) == range(1, 5));
    CHECK(delivered(from(R"({"*": null})")) == range(1, 5));
}

TEST_CASE("C29 a star with a name lets that attribute of every type through") {
    CHECK(delivered(from(R"({"*": ["code"]})")) == std::vector<EventId>{1, 3});
}

TEST_CASE("C30 a type adds to what the star lets through") {
    CHECK(delivered(from(R"({"*": ["code"], "Shotgun_Shot_New": null})")) == std::vector<EventId>{1, 3, 4});
}

TEST_CASE("C31 a type lets all its events through") {
    CHECK(delivered(from(R"({"Shotgun_Shot_Change": null})")) == std::vector<EventId>{1, 2});
    CHECK(delivered(from(R"({"Shotgun_Shot_Change": ["*"]})")) == std::vector<EventId>{1, 2});
}

TEST_CASE("C32 names of attributes compare exactly") {
    auto rows = five;
    rows.push_back({6, "Shotgun_Shot_Change", "Code"});
    rows.push_back({7, "Shotgun_Shot_Change", "sg_code"});
    CHECK(delivered(from(R"({"Shotgun_Shot_Change": ["code"]})"), rows) == std::vector<EventId>{1});
}

TEST_CASE("C33 an empty list lets nothing through") {
    CHECK(delivered(from(R"({"Shotgun_Shot_Change": []})")).empty());
}

TEST_CASE("C34 a bare name is a list of one") {
    CHECK(delivered(from(R"({"Shotgun_Shot_Change": "sg_status_list"})"),
                    {{1, "Shotgun_Shot_Change", "sg_status_list"}, {2, "Shotgun_Shot_Change", "status"}}) ==
          std::vector<EventId>{1});
}

TEST_CASE("the index gives each lane its own callbacks, and follows a change") {
    FilterIndex index;
    index.set(0, {{"a", EventFilter{}.on("T")}, {"b", EventFilter{}.on("U")}, {"c", {}}});
    index.set(2, {{"d", EventFilter{}.on("T", {"x"})}});
    const auto found = index.find("T", "x");
    REQUIRE(found.size() == 2);
    CHECK(found[0].group == index.group_of(0));
    CHECK(*found[0].callbacks == dispatch::CallbackList{0, 2});
    CHECK(found[1].group == index.group_of(2));
    CHECK(index.find("T", "y").size() == 1);
    index.set(0, {});
    CHECK(index.find("T", "x").size() == 1);
    CHECK(index.find("U", "").empty());
}

TEST_CASE("lanes that want the same are asked about once, and only they") {
    FilterIndex index;
    const auto on_t = EventFilter{}.on("T");
    event::Conditions in_7;
    in_7.add({.projects = {7}}, {});
    index.set(0, {{"a", on_t}});
    index.set(1, {{"other name", on_t}});
    index.set(2, {{"a", on_t, OnFailure::retry, in_7}});
    index.set(3, {{"a", on_t}, {"b", on_t}});
    CHECK(index.group_of(0) == index.group_of(1));
    CHECK(std::set{index.group_of(0), index.group_of(2), index.group_of(3)}.size() == 3);
    CHECK(index.group_of(4) == FilterIndex::no_group);
    CHECK(index.find("T", "x").size() == 3);
    index.set(1, {{"a", EventFilter{}.on("U")}});
    CHECK(index.group_of(0) != index.group_of(1));
    CHECK(index.find("T", "x").size() == 3);
    CHECK(index.find("U", "x").size() == 1);
}

TEST_CASE("type and attribute are not confused with one another") {
    FilterIndex index;
    index.set(0, {{"a", EventFilter{}.on("AB", {"C"})}});
    CHECK(index.find("A", "BC").empty());
    CHECK(index.find("AB", "C").size() == 1);
    CHECK(index.find("ABC", "").empty());
}

TEST_CASE("the index stays right and bounded whatever names occur") {
    FilterIndex index(100);
    index.set(0, {{"a", EventFilter{}.on("T", {"7"})}});
    for (int round = 0; round < 3; ++round)
        for (int i = 0; i < 1000; ++i) CHECK(index.find("T", std::to_string(i)).size() == (i == 7 ? 1 : 0));
    const std::string long_name(100'000, 'x');
    CHECK(index.find("T", long_name).empty());
    index.set(1, {{"b", {}}});
    CHECK(index.find("T", long_name).size() == 1);
}
