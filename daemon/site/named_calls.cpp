#include "site/named_calls.hpp"

#include <array>

#include "site/arguments.hpp"
#include "site/json_text.hpp"
#include "site/methods_people.hpp"
#include "site/methods_rows.hpp"
#include "site/methods_schema.hpp"
#include "site/methods_views.hpp"
#include "site/named_file_calls.hpp"

namespace sg::site {
namespace named {  // their names are those of the site; other files of this folder have them too
namespace {

using nlohmann::json;

/// Each method reads its arguments, is told of complaints about them, and only then calls: arguments that
/// are not understood send nothing.
using Method = Result<json> (*)(Client&, Arguments&, const CallOptions&);

#define SG_CHECK(arguments) \
    if (auto fine = (arguments).complaint(); !fine) return tl::unexpected(std::move(fine.error()))

template <class T>
Result<json> to_json(Result<T> result) {
    if (!result) return tl::unexpected(std::move(result.error()));
    return json(std::move(*result));
}

/// Filters may be left out.
json filters_of(Arguments& arguments) {
    const auto& filters = arguments.any_or_null("filters");
    return filters.is_null() ? json::array() : filters;
}

Result<json> find(Client& client, Arguments& arguments, const CallOptions& options) {
    site::FindRequest request;
    request.query.type = arguments.text("type");
    request.query.filters = filters_of(arguments);
    request.query.filter_operator = arguments.text_or("filter_operator", "");
    request.query.fields = arguments.texts_or_none("fields");
    if (const auto& order = arguments.any_or_null("order"); !order.is_null()) request.query.order = order;
    request.query.retired_only = arguments.flag_or("retired_only", false);
    request.query.include_archived_projects = arguments.flag_or("include_archived_projects", true);
    request.query.additional_filter_presets = arguments.any_or_null("additional_filter_presets");
    request.limit = arguments.integer_or("limit", 0);
    request.page = arguments.integer_or("page", 0);
    SG_CHECK(arguments);
    return client.find(request, options);
}

Result<json> create(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type");
    const auto& data = arguments.any("data");
    const auto fields = arguments.texts_or_none("fields");
    SG_CHECK(arguments);
    return client.create(type, data, fields, options);
}

Result<json> update(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type");
    const auto id = arguments.integer("id");
    const auto& data = arguments.any("data");
    const auto& modes = arguments.any_or_null("multi_entity_update_modes");
    SG_CHECK(arguments);
    return client.update(type, id, data, modes, options);
}

Result<json> remove(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type");
    const auto id = arguments.integer("id");
    SG_CHECK(arguments);
    return to_json(client.remove(type, id, options));
}

Result<json> revive(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type");
    const auto id = arguments.integer("id");
    SG_CHECK(arguments);
    return to_json(site::revive(client, type, id, options));
}

Result<json> batch(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& requests = arguments.any("requests");
    SG_CHECK(arguments);
    return site::batch(client, requests, options);
}

Result<json> summarize(Client& client, Arguments& arguments, const CallOptions& options) {
    site::SummarizeRequest request;
    request.type = arguments.text("type");
    request.filters = filters_of(arguments);
    request.filter_operator = arguments.text_or("filter_operator", "");
    request.summaries = arguments.any("summaries");
    request.grouping = arguments.any_or_null("grouping");
    request.include_archived_projects = arguments.flag_or("include_archived_projects", true);
    SG_CHECK(arguments);
    return site::summarize(client, request, options);
}

Result<json> text_search(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto text = arguments.text("text");
    const auto& types = arguments.any("entity_types");
    const auto& projects = arguments.any_or_null("project_ids");
    const auto& limit = arguments.any_or_null("limit");
    SG_CHECK(arguments);
    return site::text_search(client, text, types, projects.is_null() ? json::array() : projects, limit,
                             options);
}

Result<json> nav_expand(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto path = arguments.text("path");
    const auto& seed = arguments.any_or_null("seed_entity_field");
    const auto& fields = arguments.any_or_null("entity_fields");
    SG_CHECK(arguments);
    return site::nav_expand(client, path, seed, fields, options);
}

Result<json> nav_search_string(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto path = arguments.text("root_path"), text = arguments.text("search_string");
    const auto& seed = arguments.any_or_null("seed_entity_field");
    SG_CHECK(arguments);
    return site::nav_search_string(client, path, text, seed, options);
}

Result<json> nav_search_entity(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto path = arguments.text("root_path");
    const auto& entity = arguments.any("entity");
    const auto& seed = arguments.any_or_null("seed_entity_field");
    SG_CHECK(arguments);
    return site::nav_search_entity(client, path, entity, seed, options);
}

Result<json> activity_stream_read(Client& client, Arguments& arguments, const CallOptions& options) {
    site::ActivityRequest request;
    request.type = arguments.text("type");
    request.id = arguments.integer("id");
    request.min_id = arguments.any_or_null("min_id");
    request.max_id = arguments.any_or_null("max_id");
    request.limit = arguments.any_or_null("limit");
    request.entity_fields = arguments.any_or_null("entity_fields");
    SG_CHECK(arguments);
    return site::activity_stream_read(client, request, options);
}

Result<json> note_thread_read(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto note = arguments.integer("note_id");
    const auto& fields = arguments.any_or_null("entity_fields");
    SG_CHECK(arguments);
    return site::note_thread_read(client, note, fields, options);
}

template <Result<json> (*call)(Client&, const json&, const json&, const CallOptions&)>
Result<json> user_and_entity(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& user = arguments.any("user");
    const auto& entity = arguments.any("entity");
    SG_CHECK(arguments);
    return call(client, user, entity, options);
}

Result<json> followers(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& entity = arguments.any("entity");
    SG_CHECK(arguments);
    return site::followers(client, entity, options);
}

Result<json> following(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& user = arguments.any("user");
    const auto& project = arguments.any_or_null("project");
    const auto& type = arguments.any_or_null("entity_type");
    SG_CHECK(arguments);
    return site::following(client, user, project, type, options);
}

Result<json> work_schedule_read(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& start = arguments.any("start_date");
    const auto& end = arguments.any("end_date");
    const auto& project = arguments.any_or_null("project");
    const auto& user = arguments.any_or_null("user");
    SG_CHECK(arguments);
    return site::work_schedule_read(client, start, end, project, user, options);
}

Result<json> work_schedule_update(Client& client, Arguments& arguments, const CallOptions& options) {
    site::WorkScheduleChange change;
    change.date = arguments.any("date");
    change.working = arguments.flag("working");
    change.description = arguments.any_or_null("description");
    change.project = arguments.any_or_null("project");
    change.user = arguments.any_or_null("user");
    change.recalculate_field = arguments.any_or_null("recalculate_field");
    SG_CHECK(arguments);
    return site::work_schedule_update(client, change, options);
}

template <Result<json> (*call)(Client&, const json&, const CallOptions&)>
Result<json> of_project(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& project = arguments.any_or_null("project");
    SG_CHECK(arguments);
    return call(client, project, options);
}

Result<json> schema_field_read(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type"), field = arguments.text_or("field_name", "");
    const auto& project = arguments.any_or_null("project");
    SG_CHECK(arguments);
    return site::schema_field_read(client, type, field, project, options);
}

Result<json> schema_field_create(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type"), data_type = arguments.text("data_type"),
               name = arguments.text("display_name");
    const auto& properties = arguments.any_or_null("properties");
    SG_CHECK(arguments);
    return to_json(site::schema_field_create(client, type, data_type, name, properties, options));
}

Result<json> schema_field_update(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type"), field = arguments.text("field_name");
    const auto& properties = arguments.any("properties");
    const auto& project = arguments.any_or_null("project");
    SG_CHECK(arguments);
    return to_json(site::schema_field_update(client, type, field, properties, project, options));
}

Result<json> schema_field_delete(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto type = arguments.text("type"), field = arguments.text("field_name");
    SG_CHECK(arguments);
    return to_json(site::schema_field_delete(client, type, field, options));
}

Result<json> preferences_read(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto names = arguments.texts_or_none("prefs");
    SG_CHECK(arguments);
    return site::preferences_read(client, names, options);
}

Result<json> info(Client& client, Arguments& arguments, const CallOptions& options) {
    SG_CHECK(arguments);
    return client.info(options);
}

Result<json> get_session_token(Client& client, Arguments& arguments, const CallOptions& options) {
    SG_CHECK(arguments);
    return to_json(site::get_session_token(client, options));
}

Result<json> authenticate_human_user(Client& client, Arguments& arguments, const CallOptions& options) {
    site::User user;
    user.login = arguments.text("login");
    user.password = arguments.text("password");
    user.auth_token = arguments.text_or("auth_token", "");
    SG_CHECK(arguments);
    return site::authenticate_human_user(client, user, options);
}

Result<json> update_project_last_accessed(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& project = arguments.any("project");
    const auto& user = arguments.any_or_null("user");
    SG_CHECK(arguments);
    return site::update_project_last_accessed(client, project, user, options);
}

Result<json> user_subscriptions_read(Client& client, Arguments& arguments, const CallOptions& options) {
    SG_CHECK(arguments);
    return site::user_subscriptions_read(client, options);
}

Result<json> user_subscriptions_create(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto& users = arguments.any("users");
    SG_CHECK(arguments);
    return to_json(site::user_subscriptions_create(client, users, options));
}

Result<json> export_page(Client& client, Arguments& arguments, const CallOptions& options) {
    const auto page = arguments.integer("page_id");
    const auto format = arguments.text_or("format", "csv");
    const auto& layout = arguments.any_or_null("layout_name");
    SG_CHECK(arguments);
    return to_json(site::export_page(client, page, format, layout, options));
}

struct Entry {
    std::string_view name;
    Method method;
};
constexpr std::array methods{
    Entry{"find", find},
    Entry{"create", create},
    Entry{"update", update},
    Entry{"delete", remove},
    Entry{"revive", revive},
    Entry{"batch", batch},
    Entry{"summarize", summarize},
    Entry{"text_search", text_search},
    Entry{"nav_expand", nav_expand},
    Entry{"nav_search_string", nav_search_string},
    Entry{"nav_search_entity", nav_search_entity},
    Entry{"activity_stream_read", activity_stream_read},
    Entry{"note_thread_read", note_thread_read},
    Entry{"follow", user_and_entity<site::follow>},
    Entry{"unfollow", user_and_entity<site::unfollow>},
    Entry{"followers", followers},
    Entry{"following", following},
    Entry{"work_schedule_read", work_schedule_read},
    Entry{"work_schedule_update", work_schedule_update},
    Entry{"schema_read", of_project<site::schema_read>},
    Entry{"schema_entity_read", of_project<site::schema_entity_read>},
    Entry{"schema_field_read", schema_field_read},
    Entry{"schema_field_create", schema_field_create},
    Entry{"schema_field_update", schema_field_update},
    Entry{"schema_field_delete", schema_field_delete},
    Entry{"preferences_read", preferences_read},
    Entry{"info", info},
    Entry{"get_session_token", get_session_token},
    Entry{"authenticate_human_user", authenticate_human_user},
    Entry{"update_project_last_accessed", update_project_last_accessed},
    Entry{"user_subscriptions_read", user_subscriptions_read},
    Entry{"user_subscriptions_create", user_subscriptions_create},
    Entry{"export_page", export_page},
    Entry{"upload", upload_file},
    Entry{"share_thumbnail", share_thumbnail},
    Entry{"download_attachment", download_file},
};

#undef SG_CHECK

}  // namespace
}  // namespace named

using nlohmann::json;

Result<json> call_by_name(Client& client, std::string_view method, const json& arguments,
                          const CallOptions& options) {
    for (const auto& [name, call] : named::methods) {
        if (name != method) continue;
        if (!arguments.is_object()) return fail(Cause::invalid, "the arguments of {} are no object", name);
        Arguments read(arguments);
        auto own = options;
        if (const auto login = read.text_or("sudo_as_login", ""); !login.empty()) own.sudo_as_login = login;
        return call(client, read, own);
    }
    return fail(Cause::not_supported, "this daemon does not know the site call '{}'", printable(method, 80));
}

Result<std::string> call_site(Client& client, std::string_view method, std::string_view arguments,
                              const CallOptions& options) {
    auto read = read_json(arguments);
    if (!read)
        return fail(Cause::invalid, "the arguments of {}: {}", printable(method, 80), read.error().message);
    auto result = call_by_name(client, method, *read, options);
    if (!result) return tl::unexpected(std::move(result.error()));
    return result->dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string_view> site_method_names() {
    std::vector<std::string_view> names;
    for (const auto& entry : named::methods) names.push_back(entry.name);
    return names;
}

}  // namespace sg::site
