#include "sandbox/entity_store.hpp"

#include <algorithm>

namespace sg::sandbox {

LinkKey link_key(const Json& value) {
    if (!value.is_object()) return {};
    const auto type = value.find("type"), id = value.find("id");
    if (type == value.end() || id == value.end() || !type->is_string() || !id->is_number_integer()) return {};
    return {type->get<std::string>(), id->get<Id>()};
}

Json link_to(std::string_view type, Id id) { return Json{{"type", type}, {"id", id}}; }

std::string Record::name() const {
    const auto& shown = value(def->display);
    return shown.is_string() ? shown.get<std::string>() : std::string();
}

const Json& Record::value(std::string_view field) const {
    static const Json null;
    const auto found = fields.find(field);
    return found == fields.end() ? null : found->second;
}

Record& EntityStore::add(const EntityDef& def, std::map<std::string, Json, std::less<>> fields, Id id) {
    auto& last = last_id_[def.type];
    if (id == 0) id = last + 1;
    last = std::max(last, id);
    auto& record = types_[def.type][id];
    record = Record{&def, id, false, std::move(fields), {}};
    refresh(record);
    return record;
}

void EntityStore::refresh(Record& record) {
    const nlohmann::ordered_json link{{"type", record.def->type}, {"id", record.id}, {"name", record.name()}};
    record.link_text = link.dump();
}

void EntityStore::set_retired(Record& record, bool retired) { record.retired = retired; }

EntityStore::Rows& EntityStore::rows(std::string_view type) { return types_[std::string(type)]; }
const EntityStore::Rows& EntityStore::rows(std::string_view type) const {
    static const Rows none;
    const auto found = types_.find(std::string(type));
    return found == types_.end() ? none : found->second;
}

const Record* EntityStore::find(std::string_view type, Id id) const {
    const auto& of_type = rows(type);
    const auto found = of_type.find(id);
    return found == of_type.end() ? nullptr : &found->second;
}
Record* EntityStore::find(std::string_view type, Id id) {
    return const_cast<Record*>(std::as_const(*this).find(type, id));
}

Json EntityStore::shown(const Json& link) const {
    const auto key = link_key(link);
    const auto* target = find(key.type, key.id);
    if (target == nullptr || target->retired) return nullptr;
    return Json{{"type", key.type}, {"id", key.id}, {"name", target->name()}};
}

}  // namespace sg::sandbox
