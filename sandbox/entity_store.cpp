#include "sandbox/entity_store.hpp"

#include <algorithm>
#include <utility>

namespace sg::sandbox {
namespace {

constexpr std::size_t stale_rows = 100'000;

}  // namespace

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
    written(record.def->type, record.id);
}

void EntityStore::set_retired(Record& record, bool retired) {
    record.retired = retired;
    written(record.def->type, record.id);
}

void EntityStore::written(const std::string& type, Id id) {
    if (changes_ != nullptr) changes_->record(type, id);
    const auto indexed = indexed_.find(type);
    if (indexed == indexed_.end()) return;
    auto& stale = indexed->second.stale;
    if (stale.empty() || stale.back() != id) stale.push_back(id);
    if (stale.size() > stale_rows) indexed_.erase(indexed);  // nobody searches; it can be made anew
}

const std::vector<Id>& EntityStore::linked_rows(std::string_view type, const LinkHint& link) const {
    static const std::vector<Id> none;
    const auto& all = rows(type);
    auto& indexed = indexed_[std::string(type)];
    const auto put = [](LinkIndex& index, const Record& record, std::string_view field) {
        const auto& value = record.value(field);
        const auto one = [&](const Json& element) {
            const auto key = link_key(element);
            if (!key.type.empty()) index.add(key.type, key.id, record.id);
        };
        if (value.is_array())
            for (const auto& element : value) one(element);
        else
            one(value);
    };
    for (const auto id : std::exchange(indexed.stale, {}))
        if (const auto row = all.find(id); row != all.end())
            for (auto& [field, index] : indexed.fields) put(index, row->second, field);
    auto field = indexed.fields.find(link.field);
    if (field == indexed.fields.end()) {
        field = indexed.fields.try_emplace(link.field).first;
        for (const auto& [id, record] : all) put(field->second, record, link.field);
    }
    const auto* found = field->second.rows(link.type, link.id);
    return found == nullptr ? none : *found;
}

std::vector<std::string> EntityStore::types() const {
    std::vector<std::string> out;
    for (const auto& [type, last] : last_id_) out.push_back(type);
    std::ranges::sort(out);
    return out;
}
Id EntityStore::last_id(std::string_view type) const {
    const auto found = last_id_.find(std::string(type));
    return found == last_id_.end() ? 0 : found->second;
}
void EntityStore::set_last_id(const std::string& type, Id last) {
    auto& known = last_id_[type];
    known = std::max(known, last);
}

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
    if (record == nullptr) return nullptr;
    keep(record->def->type, id);
    written(record->def->type, id);
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
