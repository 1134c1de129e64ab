#include "sandbox/presets.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

using Key = std::vector<Json>;
using KeyFrom = std::function<Key(const Record&)>;

/// Of the rows that share `group`, the one whose `rank` is highest; among equals the newest id. Rows
/// whose group begins with null belong to none.
std::set<Id> highest(const EntityDef& def, const Scope& scope, const KeyFrom& group, const KeyFrom& rank) {
    std::map<Key, std::pair<Key, Id>> best;
    for (const auto& [id, record] : scope.store.rows(def.type)) {
        if (record.retired) continue;
        const auto key = group(record);
        if (key.front().is_null()) continue;
        auto mine = rank(record);
        const auto [at, fresh] = best.try_emplace(key, mine, id);
        if (!fresh && !(mine < at->second.first)) at->second = {std::move(mine), id};
    }
    std::set<Id> out;
    for (const auto& [key, row] : best) out.insert(row.second);
    return out;
}

Key linked_entity(const Record& record) { return {record.value("entity")}; }
Key created_at(const Record& record) { return {record.value("created_at")}; }

/// The order of the pipeline step of the row's task, and then its time.
Key step_order(const Record& record, const EntityStore& store) {
    const auto task_key = link_key(record.value("sg_task"));
    const auto* task = store.find(task_key.type, task_key.id);
    const auto step_key = task == nullptr ? LinkKey{} : link_key(task->value("step"));
    const auto* step = store.find(step_key.type, step_key.id);
    return {step == nullptr ? Json() : step->value("list_order"), record.value("created_at")};
}

std::set<Id> latest(const Json& preset, const EntityDef& def, const Scope& scope) {
    const auto found = preset.find("latest_by");
    const auto by = found != preset.end() && found->is_string() ? found->get<std::string>() : "";
    const bool linked = def.type == "Version" || def.type == "PublishedFile";
    if (linked && by == "ENTITIES_CREATED_AT") return highest(def, scope, linked_entity, created_at);
    if (def.type == "Version" && by == "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT")
        return highest(def, scope, linked_entity,
                       [&](const Record& record) { return step_order(record, scope.store); });
    if (def.type == "PublishedFile" && by == "VERSION_NUMBER")
        return highest(def, scope, linked_entity,
                       [](const Record& record) { return Key{record.value("version_number")}; });
    if (def.type == "Cut" && by == "REVISION_NUMBER")
        return highest(
            def, scope,
            [](const Record& cut) {
                return Key{cut.value("project"), cut.value("entity"), cut.value("code"),
                           cut.value("cut_type")};
            },
            [](const Record& cut) { return Key{cut.value("revision_number")}; });
    refuse(fault_invalid, "API {}() {} has no preset LATEST with 'latest_by': {}", scope.method, def.type,
           found == preset.end() ? "nothing" : found->dump());
}

std::set<Id> cut_shot_versions(const Json& preset, const EntityDef& def, const Scope& scope) {
    const auto cut = preset.find("cut_id");
    if (cut == preset.end() || !cut->is_number_integer())
        refuse(fault_invalid, "API {}() the preset CUT_SHOT_VERSIONS needs an integer 'cut_id': {}",
               scope.method, preset.dump());
    const auto of_cut = link_to("Cut", cut->get<Id>());
    std::set<Json> shots;
    for (const auto& [id, item] : scope.store.rows("CutItem"))
        if (!item.retired && item.value("cut") == of_cut) shots.insert(item.value("shot"));
    std::set<Id> out;
    for (const auto& [id, version] : scope.store.rows(def.type))
        if (!version.retired && !version.value("entity").is_null() && shots.contains(version.value("entity")))
            out.insert(id);
    return out;
}

std::set<Id> ids_of(const Json& preset, const EntityDef& def, const Scope& scope) {
    const auto name = preset.is_object() ? preset.find("preset_name") : preset.end();
    if (!preset.is_object() || name == preset.end() || !name->is_string())
        refuse(fault_invalid, "API {}() invalid/missing string 'preset_name': {}", scope.method,
               preset.dump());
    if (*name == "LATEST") return latest(preset, def, scope);
    if (*name == "CUT_SHOT_VERSIONS" && def.type == "Version") return cut_shot_versions(preset, def, scope);
    refuse(fault_invalid, "API {}() {} has no preset {}", scope.method, def.type, name->dump());
}

}  // namespace

std::set<Id> preset_ids(const Json& presets, const EntityDef& def, const Scope& scope) {
    if (!presets.is_array())
        refuse(fault_invalid, "API {}() invalid array 'additional_filter_presets': {}", scope.method,
               presets.dump());
    std::set<Id> out;
    bool first = true;
    for (const auto& preset : presets) {
        auto ids = ids_of(preset, def, scope);
        if (first) {
            out = std::move(ids);
        } else {
            std::set<Id> both;
            std::ranges::set_intersection(out, ids, std::inserter(both, both.end()));
            out = std::move(both);
        }
        first = false;
    }
    if (first)
        for (const auto& [id, record] : scope.store.rows(def.type)) out.insert(id);
    return out;
}

}  // namespace sg::sandbox
