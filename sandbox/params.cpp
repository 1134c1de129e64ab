#include "sandbox/params.hpp"

#include "sandbox/refusal.hpp"

namespace sg::sandbox {

const EntityDef& type_in(const Json& params, const Call& call, const char* key) {
    const auto type = text_member(params, key);
    const auto* def = call.store.schema().find(type);
    if (def == nullptr) refuse(fault_invalid, "API {}() Entity type '{}' doesn't exist.", call.method, type);
    return *def;
}

Id id_in(const Json& params, const Call& call, const char* key) {
    const auto& id = member(params, key);
    if (!id.is_number_integer())
        refuse(fault_invalid, "API {}() invalid/missing integer '{}'", call.method, key);
    return id.get<Id>();
}

std::string text_in(const Json& params, const Call& call, const char* key) {
    const auto& text = member(params, key);
    if (!text.is_string()) refuse(fault_invalid, "API {}() invalid/missing string '{}'", call.method, key);
    return text.get<std::string>();
}

const Record* maybe_row_in(const Json& params, const Call& call, const char* key) {
    return member(params, key).is_null() ? nullptr : &row_in(params, call, key);
}

const Record& row_in(const Json& params, const Call& call, const char* key) {
    const auto& link = member(params, key);
    const auto target = link_key(link);
    if (target.type.empty())
        refuse(fault_invalid, "API {}() invalid/missing entity hash '{}': {}", call.method, key, link.dump());
    const auto* row = std::as_const(call.store).find(target.type, target.id);
    if (row == nullptr || row->retired)
        refuse(fault_crud, "API {}() CRUD ERROR #3: Entity of type [{}] with id={} does not exist.",
               call.method, target.type, target.id);
    return *row;
}

std::vector<FieldWrite> writes_in(const Json& params, const Call& call) {
    std::vector<FieldWrite> out;
    const auto& fields = member(params, "fields");
    if (!fields.is_array()) refuse(fault_invalid, "API {}() invalid/missing array 'fields'", call.method);
    for (const auto& field : fields) {
        const auto name = text_member(field, "field_name");
        if (name.empty())
            refuse(fault_invalid, "API {}() invalid/missing string 'field_name': {}", call.method,
                   field.dump());
        const auto mode = text_member(field, "multi_entity_update_mode");
        out.push_back({name, member(field, "value"), mode.empty() ? "set" : mode});
    }
    return out;
}

std::vector<std::string> names_in(const Json& params, const char* key) {
    std::vector<std::string> out;
    const auto& names = member(params, key);
    if (names.is_array())
        for (const auto& name : names)
            if (name.is_string()) out.push_back(name.get<std::string>());
    return out;
}

void need_write(const Call& call, const std::string& type) {
    if (call.caller.may.writes) return;
    refuse(fault_crud, "API {}() CRUD ERROR #4.1: Entity {} can not be changed by this user. Rule: read only",
           call.method, type);
}

}  // namespace sg::sandbox
