#include "site/methods_schema.hpp"

#include "site/parameters.hpp"

namespace sg::site {

using nlohmann::json;

namespace {

/// Adds the project if there is one.
Result<void> add_project(Client& client, json& parameters, const json& project, const CallOptions& options) {
    if (project.is_null()) return {};
    auto link = link_parameter(project, "project");
    if (!link) return tl::unexpected(std::move(link.error()));
    if (auto fine = client.require(gates::schema_of_project, options); !fine) return fine;
    parameters["project"] = std::move(*link);
    return {};
}

Result<json> read(Client& client, const char* method, json parameters, const json& project,
                  const CallOptions& options) {
    if (auto fine = add_project(client, parameters, project, options); !fine)
        return tl::unexpected(std::move(fine.error()));
    auto schema = client.call(method, std::move(parameters), Repeat::harmless, options);
    if (schema && !schema->is_object()) return fail(Cause::bad_answer, "the schema is no object");
    return schema;
}

Result<json> properties_of(const json& properties, json list) {
    if (!properties.is_object() && !properties.is_null())
        return fail(Cause::invalid, "'properties' has to be an object");
    for (const auto& [name, value] : properties.items())
        list.push_back({{"property_name", name}, {"value", value}});
    return list;
}

}  // namespace

Result<json> schema_read(Client& client, const json& project, const CallOptions& options) {
    return read(client, "schema_read", nullptr, project, options);
}

Result<json> schema_entity_read(Client& client, const json& project, const CallOptions& options) {
    return read(client, "schema_entity_read", nullptr, project, options);
}

Result<json> schema_field_read(Client& client, std::string_view type, std::string_view field,
                               const json& project, const CallOptions& options) {
    if (type.empty()) return fail(Cause::invalid, "no entity type is given");
    json parameters{{"type", type}};
    if (!field.empty()) parameters["field_name"] = field;
    return read(client, "schema_field_read", std::move(parameters), project, options);
}

Result<std::string> schema_field_create(Client& client, std::string_view type, std::string_view data_type,
                                        std::string_view display_name, const json& properties,
                                        const CallOptions& options) {
    if (type.empty() || data_type.empty() || display_name.empty())
        return fail(Cause::invalid, "a field needs an entity type, a data type and a display name");
    if (properties.is_object() && properties.contains("name"))
        return fail(Cause::invalid, "the name of a field is its display name, given by itself");
    auto all =
        properties_of(properties, json::array({json{{"property_name", "name"}, {"value", display_name}}}));
    if (!all) return tl::unexpected(std::move(all.error()));
    auto name = client.call("schema_field_create",
                            {{"type", type}, {"data_type", data_type}, {"properties", std::move(*all)}},
                            Repeat::never, options);
    if (!name) return tl::unexpected(std::move(name.error()));
    if (!name->is_string()) return fail(Cause::bad_answer, "the answer is no name of a field");
    return name->get<std::string>();
}

Result<bool> schema_field_update(Client& client, std::string_view type, std::string_view field,
                                 const json& properties, const json& project, const CallOptions& options) {
    if (type.empty() || field.empty()) return fail(Cause::invalid, "no entity type or no field is given");
    auto all = properties_of(properties, json::array());
    if (!all) return tl::unexpected(std::move(all.error()));
    if (all->empty()) return fail(Cause::invalid, "there is no property to change");
    if (properties.contains("visible") && project.is_null())
        return fail(Cause::invalid, "whether a field is visible is a matter of a project: name one");
    json parameters{{"type", type}, {"field_name", field}, {"properties", std::move(*all)}};
    if (auto fine = add_project(client, parameters, project, options); !fine)
        return tl::unexpected(std::move(fine.error()));
    return as_bool(client.call("schema_field_update", std::move(parameters), Repeat::never, options));
}

Result<bool> schema_field_delete(Client& client, std::string_view type, std::string_view field,
                                 const CallOptions& options) {
    if (type.empty() || field.empty()) return fail(Cause::invalid, "no entity type or no field is given");
    return as_bool(
        client.call("schema_field_delete", {{"type", type}, {"field_name", field}}, Repeat::never, options));
}

}  // namespace sg::site
