#include "site/methods_views.hpp"

#include "site/parameters.hpp"

namespace sg::site {

using nlohmann::json;

namespace {

Result<void> check_text_or_null(const json& value, const char* name) {
    if (value.is_null() || value.is_string()) return {};
    return fail(Cause::invalid, "'{}' has to be text", name);
}

Result<void> check_entity_fields(const json& value) {
    if (value.is_null() || value.is_object()) return {};
    return fail(Cause::invalid, "'entity_fields' has to map types to fields");
}

}  // namespace

Result<json> nav_expand(Client& client, std::string_view path, const json& seed_entity_field,
                        const json& entity_fields, const CallOptions& options) {
    if (auto fine = check_text_or_null(seed_entity_field, "seed_entity_field"); !fine)
        return tl::unexpected(fine.error());
    if (auto fine = check_entity_fields(entity_fields); !fine) return tl::unexpected(fine.error());
    return client.call(
        "nav_expand",
        {{"path", path}, {"seed_entity_field", seed_entity_field}, {"entity_fields", entity_fields}},
        Repeat::harmless, options);
}

namespace {

Result<json> nav_search(Client& client, std::string_view root_path, json criteria,
                        const json& seed_entity_field, const CallOptions& options) {
    if (auto fine = check_text_or_null(seed_entity_field, "seed_entity_field"); !fine)
        return tl::unexpected(fine.error());
    return client.call("nav_search",
                       {{"root_path", root_path},
                        {"seed_entity_field", seed_entity_field},
                        {"search_criteria", std::move(criteria)}},
                       Repeat::harmless, options);
}

}  // namespace

Result<json> nav_search_string(Client& client, std::string_view root_path, std::string_view text,
                               const json& seed_entity_field, const CallOptions& options) {
    return nav_search(client, root_path, {{"search_string", text}}, seed_entity_field, options);
}

Result<json> nav_search_entity(Client& client, std::string_view root_path, const json& entity,
                               const json& seed_entity_field, const CallOptions& options) {
    auto link = link_parameter(entity, "entity");
    if (!link) return link;
    return nav_search(client, root_path, {{"entity", std::move(*link)}}, seed_entity_field, options);
}

Result<json> activity_stream_read(Client& client, const ActivityRequest& request,
                                  const CallOptions& options) {
    if (request.type.empty()) return fail(Cause::invalid, "no entity type is given");
    for (const auto* number : {&request.min_id, &request.max_id, &request.limit})
        if (!number->is_null() && !number->is_number_integer())
            return fail(Cause::invalid, "'min_id', 'max_id' and 'limit' have to be integers");
    if (auto fine = check_entity_fields(request.entity_fields); !fine) return tl::unexpected(fine.error());
    if (auto fine = client.require(gates::search_and_streams, options); !fine)
        return tl::unexpected(fine.error());
    const auto& fields = request.entity_fields;
    return client.call("activity_stream",
                       {{"type", request.type},
                        {"id", request.id},
                        {"max_id", request.max_id},
                        {"min_id", request.min_id},
                        {"limit", request.limit},
                        {"entity_fields", fields.is_null() ? json::object() : fields}},
                       Repeat::harmless, options);
}

Result<json> note_thread_read(Client& client, EntityId note, const json& entity_fields,
                              const CallOptions& options) {
    if (auto fine = check_entity_fields(entity_fields); !fine) return tl::unexpected(fine.error());
    if (auto fine = client.require(gates::search_and_streams, options); !fine)
        return tl::unexpected(fine.error());
    return client.call(
        "note_thread_contents",
        {{"note_id", note}, {"entity_fields", entity_fields.is_null() ? json::object() : entity_fields}},
        Repeat::harmless, options);
}

Result<std::string> export_page(Client& client, EntityId page, std::string_view format,
                                const json& layout_name, const CallOptions& options) {
    if (auto fine = check_text_or_null(layout_name, "layout_name"); !fine)
        return tl::unexpected(fine.error());
    return client.call_text("export_page",
                            {{"format", format}, {"page_id", page}, {"layout_name", layout_name}},
                            Repeat::harmless, options);
}

Result<json> preferences_read(Client& client, const json& names, const CallOptions& options) {
    if (!names.is_array()) return fail(Cause::invalid, "the preferences have to be a list of names");
    if (auto fine = client.require(gates::preferences, options); !fine) return tl::unexpected(fine.error());
    return client.call("preferences_read", {{"prefs", names}}, Repeat::harmless, options);
}

}  // namespace sg::site
