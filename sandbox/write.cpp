#include "sandbox/write.hpp"

#include <algorithm>

#include "sandbox/refusal.hpp"
#include "sandbox/values.hpp"

namespace sg::sandbox {
namespace {

using Meta = nlohmann::ordered_json;

/// The elements of `from` that `other` lacks.
Json without(const Json& from, const Json& other) {
    auto out = Json::array();
    for (const auto& element : from)
        if (std::find(other.begin(), other.end(), element) == other.end()) out.push_back(element);
    return out;
}

Json as_array(const Json& link) {
    if (link.is_array()) return link;
    return link.is_null() ? Json::array() : Json::array({link});
}

Json combined(const Json& before, const Json& value, const std::string& mode) {
    if (mode == "add") {
        auto out = before;
        for (const auto& element : without(value, before)) out.push_back(element);
        return out;
    }
    return mode == "remove" ? without(before, value) : value;
}

}  // namespace

Record& Writer::existing(const EntityDef& def, Id id, std::string_view method) {
    auto* record = store_.find(def.type, id);
    if (record == nullptr)
        refuse(fault_crud, "API {}() CRUD ERROR #3: Entity of type [{}] with id={} does not exist.", method,
               def.type, id);
    return *record;
}

Writer::Change Writer::checked(const EntityDef& def, const Record* record, const FieldWrite& write, In in) {
    const std::string_view method = in == In::create ? "create" : "update";
    const auto* field = def.field(write.field);
    if (field == nullptr)
        refuse(fault_invalid, "API {}() {}.{} doesn't exist.", method, def.type, write.field);
    if (field->access == Access::read_only)
        refuse(fault_invalid, "API {}() {}.{} is read only.", method, def.type, write.field);
    if (field->access == Access::create_only && in == In::update)
        refuse(fault_invalid, "API update() {}.{} is editable on create only.", def.type, write.field);
    Change change{field, nullptr, accepted(*field, def, write.value, method, store_)};
    if (holds_array(field->type)) change.before = Json::array();
    if (record != nullptr) change.before = record->value(field->name);
    if (holds_array(field->type)) {
        if (write.mode != "set" && write.mode != "add" && write.mode != "remove")
            refuse(fault_invalid, "API {}() invalid 'multi_entity_update_mode': {}", method, write.mode);
        change.after = combined(change.before, change.after, write.mode);
    }
    check_unique(def, record, change, in);
    return change;
}

void Writer::check_unique(const EntityDef& def, const Record* record, const Change& change, In in) {
    if (!change.field->unique || change.after.is_null()) return;
    for (const auto& [id, other] : store_.rows(def.type)) {
        if (&other == record || other.retired || other.value(change.field->name) != change.after) continue;
        if (in == In::create)
            refuse(fault_crud,
                   "API create() CRUD ERROR #61: Create failed for [{}]. The value for the {} {} field is "
                   "required "
                   "to be unique. <br>",
                   def.type, def.type, change.field->name);
        refuse(fault_crud,
               "API update() CRUD ERROR #51: Update failed for [{}.{}]. The value for the {} {} field is "
               "required "
               "to be unique. <br> ",
               def.type, change.field->name, def.type, change.field->name);
    }
}

void Writer::apply(Record& record, const Change& change) {
    record.fields[change.field->name] = change.after;
    if (change.field->name == record.def->display) store_.refresh(record);
    update_back_references(record, change);
}

void Writer::update_back_references(const Record& record, const Change& change) {
    const auto& name = change.field->back_reference;
    if (name.empty()) return;
    const auto self = link_to(record.def->type, record.id);
    const auto before = as_array(change.before), after = as_array(change.after);
    const auto edit = [&](const Json& link, bool add) {
        const auto key = link_key(link);
        auto* target = store_.find(key.type, key.id);
        if (target == nullptr || target->def->field(name) == nullptr) return;
        auto& list = target->fields.try_emplace(name, Json::array()).first->second;
        list = combined(list, Json::array({self}), add ? "add" : "remove");
    };
    for (const auto& link : without(before, after)) edit(link, false);
    for (const auto& link : without(after, before)) edit(link, true);
}

Record& Writer::create(const Caller& caller, const EntityDef& def, const std::vector<FieldWrite>& fields,
                       Seconds now, Id id) {
    std::vector<Change> changes;
    std::map<std::string, Json, std::less<>> initial;
    for (const auto& write : fields) {
        auto change = checked(def, nullptr, write, In::create);
        initial[change.field->name] = change.after;
        if (change.field->access == Access::editable) changes.push_back(std::move(change));
    }
    if (def.in_project && (!initial.contains("project") || initial["project"].is_null()))
        refuse(fault_invalid, "API create() missing 'project' attribute: {{}}");
    for (const auto& field : def.fields) {
        if (field.retired || initial.contains(field.name) || field.otherwise.is_null()) continue;
        initial[field.name] = field.otherwise;
        if (!field.retired && field.access == Access::editable)
            changes.push_back({&field, nullptr, field.otherwise});
    }
    const auto user = caller.user.type.empty() ? Json() : link_to(caller.user.type, caller.user.id);
    initial.try_emplace("created_at", iso_text(now));
    initial.try_emplace("created_by", user);
    initial["updated_at"] = iso_text(now);
    initial["updated_by"] = user;

    auto& record = store_.add(def, std::move(initial), id);
    if (record.name().empty()) {
        record.fields[def.display] = fmt::format("New {} {}", def.type, record.id);
        changes.push_back({def.field(def.display), nullptr, record.fields[def.display]});
        store_.refresh(record);
    }
    std::erase_if(changes, [](const Change& change) {
        return change.after.is_null() || change.before == change.after;
    });
    for (const auto& change : changes) update_back_references(record, change);
    for (const auto& change : changes) {
        const auto original = log_change(caller, record, change, now, In::create);
        log_back_references(caller, record, change, original, now, In::create);
    }
    log_row(caller, record, "New", {},
            {{"type", "new_entity"}, {"entity_type", def.type}, {"entity_id", record.id}}, now);
    return record;
}

Id Writer::update(const Caller& caller, const EntityDef& def, Id id, const std::vector<FieldWrite>& fields,
                  Seconds now) {
    auto& record = existing(def, id, "update");
    if (record.retired)
        refuse(fault_crud, "API update() CRUD ERROR #3: Entity of type [{}] with id={} does not exist.",
               def.type, id);
    std::vector<Change> changes;
    for (const auto& write : fields) changes.push_back(checked(def, &record, write, In::update));
    std::erase_if(changes, [](const Change& change) { return change.before == change.after; });
    if (changes.empty()) return 0;
    for (const auto& change : changes) apply(record, change);
    record.fields["updated_at"] = iso_text(now);
    record.fields["updated_by"] =
        caller.user.type.empty() ? Json() : link_to(caller.user.type, caller.user.id);
    Id first = 0;
    for (const auto& change : changes) {
        const auto original = log_change(caller, record, change, now, In::update);
        if (first == 0) first = original;
        log_back_references(caller, record, change, original, now, In::update);
    }
    return first;
}

Id Writer::create_event(const Caller& caller, const std::vector<FieldWrite>& fields, Seconds now) {
    const auto& def = *store_.schema().find("EventLogEntry");
    EventRow row;
    row.created_at = now;
    row.user =
        caller.user.type.empty() ? EventLink{} : log_.link(link_to(caller.user.type, caller.user.id), store_);
    row.description = std::make_unique<std::string>("New Event");
    for (const auto& write : fields) {
        const auto value = checked(def, nullptr, write, In::create).after;
        if (value.is_null()) continue;
        if (write.field == "event_type") row.event_type = log_.intern(value.get<std::string>());
        if (write.field == "attribute_name") row.attribute_name = log_.intern(value.get<std::string>());
        if (write.field == "description")
            row.description = std::make_unique<std::string>(value.get<std::string>());
        if (write.field == "session_uuid")
            row.session_uuid = std::make_unique<std::string>(value.get<std::string>());
        if (write.field == "meta") row.meta = log_.share_meta(value.dump());
        if (write.field == "entity") row.entity = log_.link(value, store_);
        if (write.field == "project") row.project = log_.link(value, store_);
        if (write.field == "user") row.user = log_.link(value, store_);
        if (write.field == "created_at") row.created_at = read_date_time(value.get<std::string>());
    }
    return log_.add(std::move(row));
}

}  // namespace sg::sandbox
