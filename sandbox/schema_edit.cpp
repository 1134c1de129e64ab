// schema_field_create, schema_field_update and schema_field_delete.

#include <algorithm>
#include <cctype>

#include "sandbox/params.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/values.hpp"

namespace sg::sandbox {
namespace {

using Ordered = nlohmann::ordered_json;

void need_schema_rights(const Call& call) {
    if (!call.caller.may.edits_schema)
        refuse(fault_crud, "API {}() the schema can not be changed by this user. Rule: read only",
               call.method);
}

EntityDef& editable_type(const Call& call) {
    need_schema_rights(call);
    auto* def = call.store.schema().find(type_in(call.params, call).type);
    if (def->type == "EventLogEntry" || def->type == "DisplayColumn")
        refuse(fault_invalid, "API {}() {} can not have fields of the site's own.", call.method, def->type);
    call.store.schema_edited();
    return *def;
}

FieldDef& editable_field(const Call& call, EntityDef& def) {
    const auto name = text_in(call.params, call, "field_name");
    auto* field = def.field_even_retired(name);
    if (field == nullptr || field->retired)
        refuse(fault_invalid, "API {}() {}.{} doesn't exist.", call.method, def.type, name);
    return *field;
}

/// The row that stands for a field in the event log; made where there is none yet.
Record& column_of(const Call& call, const EntityDef& def, const FieldDef& field) {
    Id known = 0;
    for (const auto& [id, row] : std::as_const(call.store).rows("DisplayColumn"))
        if (row.value("entity_type") == def.type && row.value("name") == field.name) known = id;
    if (known != 0) return *call.store.find("DisplayColumn", known);
    const auto now = iso_text(call.time.now);
    return call.store.add(*call.store.schema().find("DisplayColumn"),
                          {{"name", field.name},
                           {"human_name", field.label},
                           {"entity_type", def.type},
                           {"data_type", std::string(name_of(field.type))},
                           {"created_at", now},
                           {"updated_at", now}});
}

void log_change(const Call& call, const Record& column, const std::string& attribute, const Json& before,
                const Json& after) {
    call.writer.tell(call.caller, column, "Change", attribute,
                     {{"type", "attribute_change"},
                      {"attribute_name", attribute},
                      {"entity_type", "DisplayColumn"},
                      {"entity_id", column.id},
                      {"old_value", before},
                      {"new_value", after}},
                     call.time.now);
}

std::vector<std::string> texts(const Call& call, const std::string& property, const Json& value) {
    std::vector<std::string> out;
    const auto is_text = [](const Json& element) { return element.is_string(); };
    if (!value.is_array() || !std::ranges::all_of(value, is_text))
        refuse(fault_invalid, "API {}() the property '{}' is expected to be an array of strings: {}",
               call.method, property, value.dump());
    for (const auto& element : value) out.push_back(element.get<std::string>());
    return out;
}

std::string text(const Call& call, const std::string& property, const Json& value) {
    if (!value.is_string())
        refuse(fault_invalid, "API {}() the property '{}' is expected to be a string: {}", call.method,
               property, value.dump());
    return value.get<std::string>();
}

void set_types(const Call& call, FieldDef& field, const Json& value) {
    auto types = texts(call, "valid_types", value);
    for (const auto& type : types)
        if (call.store.schema().find(type) == nullptr)
            refuse(fault_invalid, "API {}() Entity type '{}' doesn't exist.", call.method, type);
    field.targets = std::move(types);
}

/// Sets a property of `field`, which is a copy: a refused call has changed nothing.
void set_property(const Call& call, const EntityDef& def, FieldDef& field, const std::string& name,
                  const Json& value) {
    const bool link = field.type == DataType::entity || holds_links(field.type);
    const bool choice = field.type == DataType::list || field.type == DataType::status_list;
    if (name == "name")
        field.label = text(call, name, value);
    else if (name == "description")
        field.description = text(call, name, value);
    else if (name == "custom_metadata")
        field.custom_metadata = text(call, name, value);
    else if (name == "summary_default")
        field.summary_default = text(call, name, value);
    else if (name == "valid_types" && link)
        set_types(call, field, value);
    else if (name == "valid_values" && choice)
        field.values = texts(call, name, value);
    else if (name == "hidden_values" && field.type == DataType::status_list)
        field.hidden_codes = texts(call, name, value);
    else if (name == "default_value")
        field.otherwise = value.is_null() ? value : accepted(field, def, value, call.method, call.store);
    else
        refuse(fault_invalid, "API {}() a field of the data type '{}' has no property '{}' to be set",
               call.method, name_of(field.type), name);
}

struct Property {
    std::string name;
    Json value;
};

std::vector<Property> properties_in(const Call& call) {
    const auto& list = member(call.params, "properties");
    if (!list.is_array()) refuse(fault_invalid, "API {}() invalid/missing array 'properties'", call.method);
    std::vector<Property> out;
    for (const auto& item : list)
        out.push_back({text_in(item, call, "property_name"), member(item, "value")});
    return out;
}

/// `sg_`, and the display name with everything but letters and digits made `_`.
std::string system_name(const Call& call, EntityDef& def, const std::string& label) {
    std::string base = "sg_";
    for (const char c : label) {
        const auto byte = static_cast<unsigned char>(c);
        base += std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '_';
    }
    auto name = base;
    for (int i = 1;; ++i) {
        const auto* taken = def.field_even_retired(name);
        if (taken == nullptr) return name;
        if (taken->retired)
            refuse(fault_invalid, "API {}() {}.{} was deleted; its name can not be used again.", call.method,
                   def.type, name);
        name = base + "_" + std::to_string(i);
    }
}

bool can_be_made(DataType type) {
    using enum DataType;
    switch (type) {
        case text:
        case number:
        case floating:
        case percent:
        case duration:
        case timecode:
        case currency:
        case checkbox:
        case date:
        case date_time:
        case list:
        case status_list:
        case entity:
        case multi_entity:
        case footage:
        case url:
            return true;
        default:
            return false;
    }
}

}  // namespace

Json schema_field_create(const Call& call) {
    auto& def = editable_type(call);
    FieldDef field;
    const auto type = text_in(call.params, call, "data_type");
    if (!parse_data_type(type, field.type) || !can_be_made(field.type))
        refuse(fault_invalid, "API {}() a field of the data type '{}' can not be created", call.method, type);
    const auto properties = properties_in(call);
    const auto given = [&](std::string_view name) {
        return std::ranges::any_of(properties,
                                   [&](const Property& property) { return property.name == name; });
    };
    if (!given("name")) refuse(fault_invalid, "API {}() missing property 'name'", call.method);
    const bool link = field.type == DataType::entity || field.type == DataType::multi_entity;
    if (link && !given("valid_types"))
        refuse(fault_invalid, "API {}() missing property 'valid_types'", call.method);
    if (field.type == DataType::list && !given("valid_values"))
        refuse(fault_invalid, "API {}() missing property 'valid_values'", call.method);
    // A default is judged by the valid values, whichever comes first.
    for (const bool defaults : {false, true})
        for (const auto& [name, value] : properties)
            if ((name == "default_value") == defaults) set_property(call, def, field, name, value);
    field.name = system_name(call, def, field.label);
    def.fields.push_back(field);
    const auto& column = column_of(call, def, field);
    call.writer.tell(call.caller, column, "New", {},
                     {{"type", "new_entity"}, {"entity_type", "DisplayColumn"}, {"entity_id", column.id}},
                     call.time.now);
    return field.name;
}

Json schema_field_update(const Call& call) {
    auto& def = editable_type(call);
    auto& field = editable_field(call, def);
    const auto* project = maybe_row_in(call.params, call, "project");
    auto changed = field;
    std::vector<std::pair<std::string, std::pair<Json, Json>>> changes;
    for (const auto& [name, value] : properties_in(call)) {
        if (name != "visible") {
            set_property(call, def, changed, name, value);
            continue;
        }
        if (project == nullptr)
            refuse(fault_invalid, "API {}() 'visible' can only be set together with a 'project'",
                   call.method);
        if (!value.is_boolean()) refuse(fault_invalid, "API {}() 'visible' is true or false", call.method);
        value.get<bool>() ? static_cast<void>(changed.hidden_in.erase(project->id))
                          : static_cast<void>(changed.hidden_in.insert(project->id));
    }
    auto& column = column_of(call, def, field);
    const auto label = field.label;
    const bool renamed = changed.label != field.label;
    const auto other_properties = [](const FieldDef& f) {
        return Json{{"default_value", f.otherwise},
                    {"summary_default", f.summary_default},
                    {"valid_types", f.targets},
                    {"valid_values", f.values},
                    {"hidden_values", f.hidden_codes}};
    };
    const auto before = other_properties(field), after = other_properties(changed);
    field = std::move(changed);
    if (renamed) {
        column.fields["human_name"] = field.label;
        log_change(call, column, "human_name", label, field.label);
    }
    if (before != after) log_change(call, column, "properties", before, after);
    return true;
}

Json schema_field_delete(const Call& call) {
    auto& def = editable_type(call);
    auto& field = editable_field(call, def);
    if (!field.is_custom())
        refuse(fault_crud, "API {}() {}.{} is not a field of the site's own and can not be deleted.",
               call.method, def.type, field.name);
    auto& column = column_of(call, def, field);
    field.retired = true;
    call.writer.tell(
        call.caller, column, "Delete", {},
        {{"type", "entity_retirement"}, {"entity_type", "DisplayColumn"}, {"entity_id", column.id}},
        call.time.now);
    call.store.set_retired(column, true);
    return true;
}

}  // namespace sg::sandbox
