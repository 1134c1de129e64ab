#include "sandbox/filter_from.hpp"

#include <set>

#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

LinkKey raw_link(const EventRow& row, std::string_view field) {
    const auto& link = field == "entity" ? row.entity : field == "user" ? row.user : row.project;
    return link.type == nullptr ? LinkKey{} : LinkKey{link.type->raw, link.id};
}

Filter filter_of(const std::string& path, const std::string& relation, const Json& values,
                 const EntityDef& def, const Scope& scope) {
    const Json leaf{{"path", path}, {"relation", relation}, {"values", values}};
    return {Json{{"logical_operator", "and"}, {"conditions", {leaf}}}, def, scope};
}

}  // namespace

Filter::Test from_test(const std::string& path, const std::string& relation, const Json& values,
                       const EntityDef& def, const Scope& scope) {
    const auto text = path.substr(from_mark.size());
    const auto dot = text.find('.'), second = text.find('.', dot + 1);
    const auto* from = dot == std::string::npos ? nullptr : scope.schema().find(text.substr(0, dot));
    const auto* link = from == nullptr || second == std::string::npos
                           ? nullptr
                           : from->field(text.substr(dot + 1, second - dot - 1));
    if (link == nullptr || (link->type != DataType::entity && !holds_links(link->type)))
        refuse(fault_invalid, "API {}() {}.{} doesn't exist.", scope.method, def.type, path);
    const auto filter = filter_of(text.substr(second + 1), relation, values, *from, scope);
    std::set<Id> targets;
    const auto take = [&](const LinkKey& key) {
        if (key.type == def.type) targets.insert(key.id);
    };
    if (from->type == "EventLogEntry") {
        const auto look = [&](const EventRow& row) {
            if (!row.hidden && filter.matches(EventView(row, scope.store))) take(raw_link(row, link->name));
        };
        const auto& rows = scope.log.rows();
        if (filter.ids().only) {
            for (const auto id : *filter.ids().only)
                if (const auto found = rows.find(id); found != rows.end()) look(found->second);
        } else {
            for (const auto& [id, row] : rows) look(row);
        }
    } else {
        for (const auto& [id, row] : scope.store.rows(from->type)) {
            if (row.retired || !filter.matches(RecordView(row, scope.store))) continue;
            const auto& stored = row.value(link->name);
            if (!stored.is_array()) take(link_key(stored));
            if (stored.is_array())
                for (const auto& element : stored) take(link_key(element));
        }
    }
    return [targets = std::move(targets)](const RowView& row) {
        return targets.contains(row.value("id").get<Id>());
    };
}

}  // namespace sg::sandbox
