#include "sandbox/query.hpp"

namespace sg::sandbox {

bool in_archived_project(const RowView& row, const EntityStore& store) {
    const auto project = link_key(row.value("project"));
    const auto* found = store.find(project.type, project.id);
    return found != nullptr && found->value("archived") == true;
}

void each_match(const EntityDef& def, const Filter& filter, bool archived_too, const Scope& scope,
                const std::function<void(const RowView&)>& visit) {
    const auto look = [&](const RowView& row) {
        if (!archived_too && in_archived_project(row, scope.store)) return;
        if (filter.matches(row)) visit(row);
    };
    if (def.type == "EventLogEntry") {
        scan(scope.log.rows(), filter.ids(), nullptr, false, [&](const EventRow& row) {
            if (!row.hidden) look(EventView(row, scope.store));
            return true;
        });
        return;
    }
    scan(scope.store.rows(def.type), filter.ids(), nullptr, false, [&](const Record& row) {
        if (!row.retired) look(RecordView(row, scope.store));
        return true;
    });
}

int compare(const Json& a, const Json& b) {
    if (a.is_null() || b.is_null()) return static_cast<int>(b.is_null()) - static_cast<int>(a.is_null());
    return a < b ? -1 : (b < a ? 1 : 0);
}

Json shown(const FieldDef& field, const Json& value, const EntityStore& store) {
    if (field.type == DataType::entity && value.is_object()) {
        auto link = store.shown(value);
        return link.is_null() ? value : link;
    }
    if (!holds_links(field.type)) return value;
    auto out = Json::array();
    for (const auto& link : value) out.push_back(store.shown(link));
    return out;
}

bool shown_at(const std::string& name, const EntityDef& def, const RowView& row, const EntityStore& store,
              Json& out) {
    const auto path = parse_path(store.schema(), def, name);
    if (!path || !path->possible) return false;
    for (const auto& hop : path->hops)
        if (hop.through != nullptr && hop.field->type != DataType::entity) return false;
    const auto values = values_at(*path, row, store);
    out = values.empty() ? Json() : shown(path->leaf(), values.front(), store);
    return true;
}

nlohmann::ordered_json full_link(const LinkKey& key, const EntityStore& store) {
    const auto* target = store.find(key.type, key.id);
    if (target == nullptr) return nullptr;
    nlohmann::ordered_json out{{"type", key.type}, {"id", key.id}, {"name", target->name()}};
    if (target->def->field("sg_status_list") != nullptr) out["status"] = target->value("sg_status_list");
    out["valid"] = target->retired ? "retired" : "valid";
    return out;
}

}  // namespace sg::sandbox
