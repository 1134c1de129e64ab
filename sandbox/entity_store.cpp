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
    static const Json null, none = Json::array(), off = false;
    const auto found = fields.find(field);
    if (found != fields.end()) return found->second;
    const auto* known = def == nullptr ? nullptr : def->field(field);
    if (known == nullptr) return null;
    if (holds_array(known->type)) return none;
    return known->type == DataType::checkbox ? off : null;
}

Record& EntityStore::add(const EntityDef& def, std::map<std::string, Json, std::less<>> fields, Id id) {
    auto& last = last_id_[def.type];
    if (id == 0) id = last + 1;
    last = std::max(last, id);
    keep(def.type, id);
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
    auto* record = const_cast<Record*>(std::as_const(*this).find(type, id));
    if (record != nullptr) keep(record->def->type, id);
    return record;
}

void EntityStore::keep(const std::string& type, Id id) {
    if (!before_ || before_->contains({type, id})) return;
    const auto* record = std::as_const(*this).find(type, id);
    before_->emplace(std::pair(type, id), record == nullptr ? std::nullopt : std::optional(*record));
}

void EntityStore::roll_back() {
    if (!before_) return;
    for (auto& [key, record] : *before_) {
        if (record)
            types_[key.first][key.second] = std::move(*record);
        else
            types_[key.first].erase(key.second);
    }
    before_.reset();
}

Json EntityStore::shown(const Json& link) const {
    const auto key = link_key(link);
    const auto* target = find(key.type, key.id);
    if (target == nullptr || target->retired) return nullptr;
    return Json{{"type", key.type}, {"id", key.id}, {"name", target->name()}};
}

}  // namespace sg::sandbox
