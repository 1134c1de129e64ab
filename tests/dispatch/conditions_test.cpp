// What else must hold of an event: asked of a real lane, of rows as a site sends them.
#include "scripted.hpp"

namespace conditions_test {

using namespace sg;
using namespace sg::test;
using nlohmann::json;

namespace {

/// A change of a Shot's status in project 65 by person 7, with what `more` says instead.
Row row(EventId id, const json& more = json::object()) {
    json whole{
        {"id", id},
        {"meta", {{"new_value", "rev"}, {"old_value", "ip"}, {"entity_type", "Shot"}, {"entity_id", 12}}},
        {"entity", {{"type", "Shot"}, {"id", 12}, {"name", "sh010"}}},
        {"user", {{"type", "HumanUser"}, {"id", 7}, {"name", "Ada"}}},
        {"project", {{"type", "Project"}, {"id", 65}}}};
    whole.merge_patch(more);
    Row out{id, "Shotgun_Shot_Change", "sg_status_list"};
    out.json = whole.dump();
    if (whole.contains("project")) out.project = whole["project"]["id"].get<EntityId>();
    return out;
}
json in_project(EntityId id) { return {{"project", {{"id", id}}}}; }
json by_script(const std::string& name) {
    return {{"user", {{"type", "ApiUser"}, {"id", 3}, {"name", name}}}};
}
/// As JSON text, because braces would make lists of pairs objects.
json of(const char* text) { return json::parse(text); }

CallbackInfo wanting(const json& only, const json& never = nullptr, const std::string& own_script = {}) {
    CallbackInfo info{"c", {}};
    info.conditions.add(EventTraits::from_json(only), EventTraits::from_json(never));
    info.conditions.set_own_script(own_script);
    return info;
}

std::vector<EventId> delivered(const CallbackInfo& info, const std::vector<Row>& rows) {
    Rig rig(0);
    rig.begin();
    const auto plugin = rig.load("p", {info});
    rig.live(rows);
    rig.run(plugin);
    CHECK(rig.status("p").cursor == rows.back().id);
    return ids(plugin->journal);
}

using Ids = std::vector<EventId>;

}  // namespace

TEST_CASE("C36 a list of projects lets their events through, and those of none where 0 is in it") {
    const std::vector<Row> rows{row(1), row(2, in_project(70)), row(3, {{"project", nullptr}}),
                                row(4, in_project(71))};
    CHECK(delivered(wanting(of(R"({"projects": [65, 70]})")), rows) == Ids{1, 2});
    CHECK(delivered(wanting(of(R"({"projects": [65, 0]})")), rows) == Ids{1, 3});
    CHECK(delivered(wanting(nullptr, of(R"({"projects": [65, 0]})")), rows) == Ids{2, 4});
}

TEST_CASE("C37 what the plugin's own script did is left out, what people and other scripts do is not") {
    const std::vector<Row> rows{row(1),
                                row(2, by_script("relay")),
                                row(3, by_script("relay 1.0")),
                                row(4, by_script("relay two 1.0")),
                                row(5, by_script("relays")),
                                row(6, {{"user", {{"type", "HumanUser"}, {"name", "relay"}}}}),
                                row(7, {{"user", nullptr}})};
    CHECK(delivered(wanting(nullptr, {{"own", true}}, "relay"), rows) == Ids{1, 4, 5, 6, 7});
    CHECK(delivered(wanting({{"own", true}}, nullptr, "relay"), rows) == Ids{2, 3});
    CHECK(delivered(wanting(nullptr, {{"own", true}}), rows) == range(1, 7));
}

TEST_CASE("each trait lets events through that have it, and all that are given must hold") {
    const std::vector<Row> rows{
        row(1),
        row(2, of(R"({"meta": {"in_create": true}})")),
        row(3, of(R"({"meta": {"new_value": {"type": "Asset", "id": 5, "name": "a"}}})")),
        row(4, of(R"({"entity": null})")),
        row(5, of(R"({"entity": {"type": "Task"}, "user": {"id": 8}})")),
        row(6, of(R"({"meta": {"is_transient": true, "old_value": null}})"))};
    CHECK(delivered(wanting(of(R"({"in_create": true})")), rows) == Ids{2});
    CHECK(delivered(wanting(nullptr, of(R"({"in_create": true})")), rows) == Ids{1, 3, 4, 5, 6});
    CHECK(delivered(wanting(of(R"({"new_values": ["x", {"type": "Asset", "id": 5}]})")), rows) == Ids{3});
    CHECK(delivered(wanting(of(R"({"old_values": [null]})")), rows) == Ids{6});
    CHECK(delivered(wanting(of(R"({"transient": true})")), rows) == Ids{6});
    // What is retired since is known from `meta`.
    CHECK(delivered(wanting(of(R"({"entity_types": ["Shot"]})")), rows) == Ids{1, 2, 3, 4, 6});
    CHECK(delivered(wanting(of(R"({"entities": [{"type": "Shot", "id": 12}]})")), rows) ==
          Ids{1, 2, 3, 4, 6});
    CHECK(delivered(wanting(of(R"({"users": [{"type": "HumanUser", "id": 8}]})")), rows) == Ids{5});
    CHECK(delivered(wanting(of(R"({"entity_types": ["Shot"], "new_values": ["rev"]})"),
                            of(R"({"in_create": true})")),
                    rows) == Ids{1, 4, 6});
    CHECK(delivered(wanting(nullptr, of(R"({"scripts": ["importer"]})")),
                    {row(1, by_script("importer 2.1")), row(2)}) == Ids{2});
}

TEST_CASE("a row without readable JSON has no trait, and holds nobody up") {
    const Row odd{1};
    CHECK(delivered(wanting(of(R"({"new_values": ["rev"]})")), {odd, row(2)}) == Ids{2});
    CHECK(delivered(wanting(nullptr, of(R"({"new_values": ["rev"]})")), {odd, row(2)}) == Ids{1});
}

TEST_CASE("callbacks of one plugin with different conditions each get their own events") {
    Rig rig(0);
    rig.begin();
    auto in_65 = wanting(of(R"({"projects": [65]})")), in_70 = wanting(of(R"({"projects": [70]})"));
    in_70.name = "d";
    const auto plugin = rig.load("p", {in_65, in_70, {"all", {}}});
    rig.live({row(1), row(2, in_project(70)), row(3, {{"project", nullptr}})});
    rig.run(plugin);
    std::vector<std::string> seen;
    for (const auto& call : plugin->journal) seen.push_back(std::to_string(call.event) + call.callback);
    CHECK(seen == std::vector<std::string>{"1c", "1all", "2d", "2all", "3all"});
}

TEST_CASE("conditions hold of late rows too, and of those that came while no build could be asked") {
    Rig rig(100);
    rig.begin();
    const auto info = wanting(of(R"({"projects": [65]})"));
    auto plugin = rig.load("p", {info});
    rig.live({row(103)});
    rig.run(plugin);
    rig.late({row(101), row(102, in_project(70))});
    rig.run(plugin);
    CHECK(ids(plugin->journal) == Ids{103, 101});

    rig.live({row(106)});
    rig.run(plugin);
    rig.end(plugin, {"killed", {}, {}});
    rig.late({row(104), row(105, in_project(70))});
    plugin = rig.load("p", {info});
    rig.run(plugin);
    CHECK(ids(plugin->journal) == Ids{104});
    CHECK(rig.status("p").pending == 0);
}

TEST_CASE("a value that is no trait is refused by name") {
    const auto refused = [](const char* text) -> std::string {
        try {
            (void)EventTraits::from_json(json::parse(text));
        } catch (const Error& error) {
            return error.what();
        }
        return "accepted";
    };
    CHECK(refused(R"({"project": [65]})") == "an event cannot be chosen by 'project'");
    CHECK(refused(R"({"projects": ["65"]})") == "'projects' is a list of ids");
    CHECK(refused(R"({"projects": []})") == "'projects' is a list of ids, and not an empty one");
    CHECK(refused(R"({"users": [{"type": "HumanUser"}]})") == "'users' is a list of a type and an id each");
    CHECK(refused(R"({"own": "yes"})") == "'own' is true or false");
    CHECK(refused(R"([1])") == "expected an object, such as {\"projects\": [65]}");
    const auto all =
        of(R"({"projects": [0, 65], "entity_types": ["Shot"], "entities": [{"type": "Shot", "id": 1}],
                            "users": [{"type": "HumanUser", "id": 7}], "scripts": ["a"], "old_values": [null, 1],
                            "new_values": ["x"], "in_create": false, "transient": true, "own": true})");
    CHECK(EventTraits::from_json(all).to_json() == all);
}

}  // namespace conditions_test
