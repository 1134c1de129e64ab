// The method `query_display_name_cache`: text search.

#include <algorithm>
#include <sstream>

#include "sandbox/params.hpp"
#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/relations.hpp"

namespace sg::sandbox {
namespace {

constexpr std::size_t most_matches = 25;

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream stream(lower(text));
    for (std::string word; stream >> word;) out.push_back(std::move(word));
    return out;
}

/// The row that a row hangs on, as the interface shows it beside its name.
Json linked_row(const RowView& row, const EntityDef& def, const EntityStore& store) {
    for (const auto* field : {"entity", "sg_sequence", "note_links"}) {
        if (def.field(field) == nullptr) continue;
        const auto value = row.value(field);
        if (value.is_array()) return value.empty() ? Json() : store.shown(value.front());
        return store.shown(value);
    }
    return nullptr;
}

struct Match {
    std::string name;
    Json shown;
};

Json shown_match(const RowView& row, const EntityDef& def, const std::string& name, const Json& linked) {
    const auto project = link_key(row.value("project"));
    const auto known = [&](const char* field) {
        return def.field(field) == nullptr ? Json() : row.value(field);
    };
    return {{"type", def.type},
            {"id", row.value("id")},
            {"name", name},
            {"project_id", project.id == 0 ? Json() : Json(project.id)},
            {"image", known("image")},
            {"links", linked.is_null() ? Json{"", ""} : Json{linked["type"], linked["name"]}},
            {"status", known("sg_status_list")}};
}

}  // namespace

Json text_search(const Call& call) {
    const auto text = text_in(call.params, call, "text");
    const auto words = words_of(text);
    if (text.size() < 3 || words.empty())
        refuse(fault_invalid, "API {}() 'text' must have at least 3 characters: '{}'", call.method, text);
    const auto &types = member(call.params, "entity_types"), &projects = member(call.params, "project_ids"),
               &limit = member(call.params, "max_results");
    if (!types.is_object())
        refuse(fault_invalid, "API {}() invalid/missing hash 'entity_types'", call.method);
    if (!limit.is_null() && (!limit.is_number_integer() || limit.get<Id>() < 1))
        refuse(fault_invalid, "API {}() invalid integer 'max_results': {}", call.method, limit.dump());
    const auto scope = call.scope();
    std::vector<Match> matches;
    for (const auto& [type, tree] : types.items()) {
        const auto* def = call.store.schema().find(type);
        if (def == nullptr)
            refuse(fault_invalid, "API {}() Entity type '{}' doesn't exist.", call.method, type);
        if (type == "EventLogEntry")
            refuse(fault_invalid, "API {}() EventLogEntry can not be searched.", call.method);
        const Filter filter(tree.is_array() && tree.empty() ? Json() : tree, *def, scope);
        each_match(*def, filter, true, scope, [&](const RowView& row) {
            const auto project = link_key(row.value("project"));
            if (projects.is_array() && !projects.empty() &&
                std::find(projects.begin(), projects.end(), Json(project.id)) == projects.end())
                return;
            const auto name = row.value("cached_display_name").get<std::string>();
            const auto linked = linked_row(row, *def, call.store);
            const auto own = lower(name),
                       other = linked.is_null() ? "" : lower(linked["name"].get<std::string>());
            const auto hit = [&](const std::string& word) {
                return own.find(word) != std::string::npos || other.find(word) != std::string::npos;
            };
            if (std::ranges::all_of(words, hit))
                matches.push_back({name, shown_match(row, *def, name, linked)});
        });
    }
    std::ranges::stable_sort(matches, {}, [](const Match& match) { return match.name.size(); });
    const auto most = limit.is_null() ? most_matches : limit.get<std::size_t>();
    auto out = Json::array();
    for (const auto& match : matches)
        if (out.size() < most) out.push_back(match.shown);
    return {{"matches", std::move(out)}, {"terms", words}};
}

}  // namespace sg::sandbox
