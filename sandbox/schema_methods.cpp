// schema_read, schema_entity_read and schema_field_read.

#include "sandbox/params.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

Json property(const Json& value, bool editable) { return {{"value", value}, {"editable", editable}}; }

Json properties_of(const FieldDef& field, const Schema& schema) {
    Json out{{"default_value", property(field.otherwise, true)},
             {"summary_default", property(field.summary_default, true)}};
    if (field.type == DataType::entity || holds_links(field.type))
        out["valid_types"] = property(field.targets, true);
    if (field.type == DataType::list) out["valid_values"] = property(field.values, true);
    if (field.type == DataType::url) out["open_in_new_window"] = property(true, true);
    if (field.type != DataType::status_list) return out;
    auto labels = Json::object();
    for (const auto& code : field.values) labels[code] = schema.status_label(code);
    out["valid_values"] = property(field.values, true);
    out["display_values"] = property(labels, false);
    out["hidden_values"] = property(field.hidden_codes, true);
    return out;
}

Json shown_field(const EntityDef& def, const FieldDef& field, const Schema& schema, Id project) {
    const bool visible = project == 0 || !field.hidden_in.contains(project);
    return {{"name", property(field.label, field.is_custom())},
            {"description", property(field.description, true)},
            {"custom_metadata", property(field.custom_metadata, true)},
            {"data_type", property(name_of(field.type), false)},
            {"entity_type", property(def.type, false)},
            {"editable", property(field.access != Access::read_only, false)},
            {"mandatory", property(field.name == "project" && def.in_project, false)},
            {"unique", property(field.unique, false)},
            {"visible", property(visible, true)},
            {"properties", properties_of(field, schema)}};
}

/// 0 where no project was named.
Id project_in(const Call& call) {
    const auto* project = maybe_row_in(call.params, call, "project");
    if (project == nullptr) return 0;
    if (project->def->type != "Project")
        refuse(fault_invalid, "API {}() 'project' is a {}", call.method, project->def->type);
    return project->id;
}

Json shown_fields(const EntityDef& def, const Schema& schema, Id project) {
    auto out = Json::object();
    for (const auto& field : def.fields)
        if (!field.retired) out[field.name] = shown_field(def, field, schema, project);
    return out;
}

}  // namespace

Json schema_read(const Call& call) {
    const auto project = project_in(call);
    auto out = Json::object();
    for (const auto& [type, def] : call.store.schema().types())
        out[type] = shown_fields(def, call.store.schema(), project);
    return out;
}

Json schema_entity_read(const Call& call) {
    static_cast<void>(project_in(call));
    auto out = Json::object();
    for (const auto& [type, def] : call.store.schema().types())
        out[type] = {{"name", property(def.label, false)}, {"visible", property(true, false)}};
    return out;
}

Json schema_field_read(const Call& call) {
    const auto& def = type_in(call.params, call);
    const auto project = project_in(call);
    const auto name = text_member(call.params, "field_name");
    if (name.empty()) return shown_fields(def, call.store.schema(), project);
    const auto* field = def.field(name);
    if (field == nullptr) refuse(fault_invalid, "API {}() {}.{} doesn't exist.", call.method, def.type, name);
    return {{name, shown_field(def, *field, call.store.schema(), project)}};
}

}  // namespace sg::sandbox
