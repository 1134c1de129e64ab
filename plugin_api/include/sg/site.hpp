#pragma once
// The site, as a callback reaches it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/error.hpp>
#include <sg/event.hpp>
#include <sg/filters.hpp>
#include <sg/site_requests.hpp>
#include <sg/types.hpp>
#include <sg/values.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sg {

/// Calls of the site's API, made by the daemon on the plugin's behalf with the plugin's credential.
///
/// Rows are JSON objects with `type`, `id` and the fields asked for, as the site sent them.
/// Filters are made with <sg/filters.hpp>, or are the conditions the official Python client takes:
///
///     site.find("Task", sg::all_of{field("entity").is(shot), field("sg_status_list").is_not("fin")});
///     site.find("Task", {{"entity", "is", shot}, {"sg_status_list", "is_not", "fin"}}, {"content"});
///
/// One condition may stand without its outer list, `{"id", "is", 862}`: compilers disagree about what
/// `{{…}}` means. No filters, `{}`, means every entity of the type.
///
/// Each call carries the session id of the event in hand, if the configuration says so, so that
/// the browser that caused the event shows the change.
///
/// Threads: every member may be called from any thread of the callback.
/// Blocks:  until the site has answered, at most the configured limits long; a file as long as it moves.
/// Errors:  throws `Error`: the site's faults with their text and code, `stopped` when the daemon
///          ends or the callback is stopped, `not_supported` for what the site is too old for. Reads are
///          retried while that makes sense; a call that may have changed something is sent once, so
///          after `network` or `timed_out` nobody knows whether it was done: read before writing where
///          twice would be wrong.
class Site {
    using Json = nlohmann::json;
    using Names = std::vector<std::string>;

public:
    /// All rows of `type` that satisfy every one of `filters`: an array, possibly empty.
    Json find(std::string_view type, const Json& filters, const Names& fields = {},
              const FindOptions& options = {}) {
        Json arguments{{"type", type},
                       {"filters", filter_list(filters)},
                       {"fields", fields},
                       {"order", options.order},
                       {"limit", options.limit},
                       {"page", options.page},
                       {"retired_only", options.retired_only},
                       {"include_archived_projects", options.include_archived_projects}};
        if (!options.additional_filter_presets.is_null())
            arguments["additional_filter_presets"] = options.additional_filter_presets;
        return call("find", arguments);
    }

    /// The first such row, or null.
    Json find_one(std::string_view type, const Json& filters, const Names& fields = {},
                  FindOptions options = {}) {
        options.limit = 1;
        auto rows = find(type, filters, fields, options);
        return rows.empty() ? Json() : std::move(rows.front());
    }

    /// Makes an entity of `data` (field to value); the new row with those fields and `fields`. `image` and
    /// `filmstrip_image` are paths of pictures, which are sent when the entity is made: if that fails, it
    /// throws and the entity is there without them.
    Json create(std::string_view type, const Json& data, const Names& fields = {}) {
        const auto [plain, pictures] = without_pictures(data, true);
        auto row = call("create", {{"type", type}, {"data", plain}, {"fields", fields}});
        send_pictures(pictures, row);
        return row;
    }

    /// Changes the fields in `data`; the row with those fields as they are now. Pictures as for `create`,
    /// after the other fields; a null `image` takes both away.
    Json update(std::string_view type, EntityId id, const Json& data, const UpdateModes& modes = {}) {
        const auto [plain, pictures] = without_pictures(data, false);
        Json arguments{{"type", type}, {"id", id}, {"data", plain}};
        if (!modes.empty()) arguments["multi_entity_update_modes"] = to_arguments(modes);
        auto row = call("update", arguments);
        send_pictures(pictures, row);
        return row;
    }
    Json update(const EntityRef& entity, const Json& data, const UpdateModes& modes = {}) {
        return update(entity.type, entity.id, data, modes);
    }

    /// Retires an entity (the site's `delete`); false if it was retired already.
    bool remove(std::string_view type, EntityId id) {
        return is_true(call("delete", {{"type", type}, {"id", id}}));
    }
    bool remove(const EntityRef& entity) { return remove(entity.type, entity.id); }

    /// Brings a retired entity back; false if it was not retired.
    bool revive(std::string_view type, EntityId id) {
        return is_true(call("revive", {{"type", type}, {"id", id}}));
    }
    bool revive(const EntityRef& entity) { return revive(entity.type, entity.id); }

    /// Several writes, all or none; one result each. An empty batch is not sent.
    Json batch(const Batch& batch) { return call("batch", {{"requests", batch.as_json()}}); }

    /// `{"summaries": {field: value}, "groups": [{"group_name", "group_value", "summaries", "groups"}]}`;
    /// tell groups apart by `group_value`.
    Json summarize(std::string_view type, const Json& filters, const std::vector<Summary>& summaries,
                   const SummarizeOptions& options = {}) {
        auto columns = Json::array(), grouping = Json::array();
        for (const auto& each : summaries) columns.push_back({{"field", each.field}, {"type", each.type}});
        for (const auto& each : options.grouping)
            grouping.push_back({{"field", each.field},
                                {"type", each.type},
                                {"direction", each.descending ? "desc" : "asc"}});
        return call("summarize", {{"type", type},
                                  {"filters", filter_list(filters)},
                                  {"summaries", columns},
                                  {"grouping", grouping},
                                  {"include_archived_projects", options.include_archived_projects}});
    }

    /// Entities whose display name, or that of what they belong to, holds every word of `text`:
    /// `{"matches": […], "terms": […]}`. `types` maps each type to its filters.
    Json text_search(std::string_view text, const std::map<std::string, Json>& types,
                     const SearchOptions& options = {}) {
        auto filters = Json::object();
        for (const auto& [type, each] : types) filters[type] = filter_list(each);
        return call("text_search", {{"text", text},
                                    {"entity_types", filters},
                                    {"project_ids", options.project_ids},
                                    {"limit", number_or_null(options.limit)}});
    }

    /// The row of the retired entity behind an event whose `entity()` is null because of that; null if
    /// there is none (also while the entity is not retired). Asks by the type and id in `meta`, and if
    /// those are missing by the link from the event itself.
    Json find_retired(const Event& event, const Names& fields = {}) {
        FindOptions retired;
        retired.retired_only = true;
        if (const auto known = event.meta_entity(); known && !event.is_back_reference())
            return find_one(known.type, field("id").is(known.id), fields, retired);
        // `Shotgun_Shot_Change`: the type stands between the first line and the last.
        const auto name = event.type();
        const auto first = name.find('_'), last = name.rfind('_');
        if (first == name.npos || last <= first + 1) return nullptr;
        return find_one(name.substr(first + 1, last - first - 1),
                        field("$FROM$EventLogEntry.entity.id").is(event.id()), fields, retired);
    }

    /// One level of the site's tree below a path such as `/Project/70`, and the places in it whose label
    /// holds a text, or that show an entity. The vendor calls these experimental.
    Json nav_expand(std::string_view path, std::string_view seed_entity_field = {},
                    const Json& entity_fields = nullptr) {
        return call("nav_expand", {{"path", path},
                                   {"seed_entity_field", text_or_null(seed_entity_field)},
                                   {"entity_fields", entity_fields}});
    }
    Json nav_search_string(std::string_view root_path, std::string_view text,
                           std::string_view seed_entity_field = {}) {
        return call("nav_search_string", {{"root_path", root_path},
                                          {"search_string", text},
                                          {"seed_entity_field", text_or_null(seed_entity_field)}});
    }
    Json nav_search_entity(std::string_view root_path, const EntityRef& entity,
                           std::string_view seed_entity_field = {}) {
        return call("nav_search_entity", {{"root_path", root_path},
                                          {"entity", entity},
                                          {"seed_entity_field", text_or_null(seed_entity_field)}});
    }

    /// What the page of an entity shows as its activity, newest first. It lags behind and is no feed of
    /// changes: events are.
    Json activity_stream_read(const EntityRef& entity, const ActivityOptions& options = {}) {
        return call("activity_stream_read", {{"type", entity.type},
                                             {"id", entity.id},
                                             {"min_id", number_or_null(options.min_id)},
                                             {"max_id", number_or_null(options.max_id)},
                                             {"limit", number_or_null(options.limit)},
                                             {"entity_fields", options.fields}});
    }

    /// A Note, its Replies and Attachments as rows. The author is `user` in a Reply, else `created_by`.
    Json note_thread_read(EntityId note, const std::map<std::string, Names>& fields = {}) {
        return call("note_thread_read", {{"note_id", note}, {"entity_fields", fields}});
    }

    /// Twice is the same as once.
    Json follow(const EntityRef& user, const EntityRef& entity) {
        return call("follow", {{"user", user}, {"entity", entity}});
    }
    Json unfollow(const EntityRef& user, const EntityRef& entity) {
        return call("unfollow", {{"user", user}, {"entity", entity}});
    }
    std::vector<EntityRef> followers(const EntityRef& entity) {
        return read_links(call("followers", {{"entity", entity}}));
    }
    /// What somebody follows; in one project, of one type.
    std::vector<EntityRef> following(const EntityRef& user, const EntityRef& project = {},
                                     std::string_view type = {}) {
        return read_links(
            call("following", {{"user", user}, {"project", project}, {"entity_type", text_or_null(type)}}));
    }

    /// By day, `{"2026-12-24": {"working": true, "description": null, "reason": …}}`, both ends included.
    Json work_schedule_read(const Date& start, const Date& end, const ScheduleOf& of = {}) {
        return call("work_schedule_read", {{"start_date", date_text(start)},
                                           {"end_date", date_text(end)},
                                           {"project", of.project},
                                           {"user", of.user}});
    }
    /// May move many Tasks.
    Json work_schedule_update(const WorkScheduleChange& change) {
        return call("work_schedule_update",
                    {{"date", date_text(change.date)},
                     {"working", change.working},
                     {"description", change.description ? Json(*change.description) : Json()},
                     {"project", change.of.project},
                     {"user", change.of.user},
                     {"recalculate_field", text_or_null(change.recalculate_field)}});
    }

    /// Types and fields. With a project, what it shows counts for `visible`. `schema_read` is all of it:
    /// megabytes on a real site.
    Json schema_read(const EntityRef& project = {}) { return call("schema_read", {{"project", project}}); }
    Json schema_entity_read(const EntityRef& project = {}) {
        return call("schema_entity_read", {{"project", project}});
    }
    /// The fields of a type, or one; in both cases by name.
    Json schema_field_read(std::string_view type, std::string_view field = {},
                           const EntityRef& project = {}) {
        return call("schema_field_read", {{"type", type}, {"field_name", field}, {"project", project}});
    }
    /// Makes a field; its name in the API, `sg_…`. Links need the property `valid_types`, lists
    /// `valid_values`.
    std::string schema_field_create(std::string_view type, std::string_view data_type,
                                    std::string_view display_name, const Json& properties = Json::object()) {
        return as_text(call("schema_field_create", {{"type", type},
                                                    {"data_type", data_type},
                                                    {"display_name", display_name},
                                                    {"properties", properties}}));
    }
    /// `visible` goes with a project only, and a project with nothing else.
    bool schema_field_update(std::string_view type, std::string_view field, const Json& properties,
                             const EntityRef& project = {}) {
        return is_true(
            call("schema_field_update",
                 {{"type", type}, {"field_name", field}, {"properties", properties}, {"project", project}}));
    }
    bool schema_field_delete(std::string_view type, std::string_view field) {
        return is_true(call("schema_field_delete", {{"type", type}, {"field_name", field}}));
    }

    /// Preferences of the site; no names: all. Unknown names are left out.
    Json preferences_read(const Names& names = {}) { return call("preferences_read", {{"prefs", names}}); }

    /// What the site says of itself: `version`, ….
    Json info() { return call("info", Json::object()); }

    /// A token that opens downloads; a secret.
    std::string get_session_token() { return as_text(call("get_session_token", Json::object())); }

    /// Whether a login and password are right: the active person's row, or null.
    Json authenticate_human_user(std::string_view login, std::string_view password,
                                 std::string_view auth_token = {}) {
        return call("authenticate_human_user",
                    {{"login", login}, {"password", password}, {"auth_token", auth_token}});
    }

    /// Notes that somebody (or the caller) has looked at a project.
    Json update_project_last_accessed(const EntityRef& project, const EntityRef& user = {}) {
        return call("update_project_last_accessed", {{"project", project}, {"user", user}});
    }

    /// Licences: a list of `{"humanUserId": 42, "subscription": …}`; whether the site set them.
    Json user_subscriptions_read() { return call("user_subscriptions_read", Json::object()); }
    bool user_subscriptions_create(const Json& users) {
        return is_true(call("user_subscriptions_create", {{"users", users}}));
    }

    /// A page of the site as text; bytes that are no UTF-8 are replaced.
    std::string export_page(EntityId page, std::string_view format = "csv", std::string_view layout = {}) {
        return as_text(call("export_page",
                            {{"page_id", page}, {"format", format}, {"layout_name", text_or_null(layout)}}));
    }

    // Files. The daemon reads and writes them, on this machine and as its own user, a few at once for all
    // plugins together; what it holds in memory does not grow with the file.

    /// Sends a regular file that is not empty; the id of its attachment. It goes into `field`, or is
    /// attached to the entity where none is named.
    EntityId upload(const EntityRef& entity, const std::filesystem::path& file, std::string_view field = {},
                    const UploadOptions& options = {}) {
        return as_id(call_with_progress("upload",
                                        {{"type", entity.type},
                                         {"id", entity.id},
                                         {"file", whole_path(file)},
                                         {"field", field},
                                         {"display_name", options.display_name},
                                         {"tags", options.tags}},
                                        options.progress));
    }
    /// An image, or the frames of one side by side, each 240 pixels wide.
    EntityId upload_thumbnail(const EntityRef& entity, const std::filesystem::path& file) {
        return upload(entity, file, "image");
    }
    EntityId upload_filmstrip_thumbnail(const EntityRef& entity, const std::filesystem::path& file) {
        return upload(entity, file, "filmstrip_image");
    }

    /// Makes the thumbnail of `source` that of `entities`; the id of its attachment, or nullopt where the
    /// source has none, which clears theirs. Throws `Error(busy)` while it is still being made.
    std::optional<EntityId> share_thumbnail(const std::vector<EntityRef>& entities, const EntityRef& source,
                                            Thumbnail which = Thumbnail::image) {
        const auto id = call("share_thumbnail", {{"entities", links(entities)},
                                                 {"source", source},
                                                 {"filmstrip", which == Thumbnail::filmstrip}});
        return id.is_null() ? std::nullopt : std::optional(as_id(id));
    }
    /// Sends a thumbnail to the first of `entities` and shares it with the others.
    EntityId share_thumbnail(const std::vector<EntityRef>& entities, const std::filesystem::path& file,
                             Thumbnail which = Thumbnail::image) {
        if (entities.empty()) throw Error(Cause::invalid, "a thumbnail for no entity");
        const auto sent =
            upload(entities.front(), file, which == Thumbnail::filmstrip ? "filmstrip_image" : "image");
        if (entities.size() > 1)
            share_thumbnail({entities.begin() + 1, entities.end()}, entities.front(), which);
        return sent;
    }

    /// Fetches a file to `to`, which is replaced when all of it is on the disk and not before. `attachment`
    /// is an attachment's id, what a file field holds, an `Attachment` link, or a URL, as an image field
    /// holds it. nullopt, and no file, where it is null. Throws `Error(busy)` while the site looks for
    /// malware in it.
    std::optional<Downloaded> download_attachment(const Json& attachment, const std::filesystem::path& to,
                                                  const DownloadOptions& options = {}) {
        const auto done = call_with_progress(
            "download_attachment", {{"attachment", attachment}, {"to", whole_path(to)}}, options.progress);
        if (done.is_null()) return std::nullopt;
        return Downloaded{done.value("bytes", std::uint64_t{0}), done.value("content_type", std::string())};
    }

    /// Any call by its name above, with arguments by name; `sudo_as_login` goes with all of them.
    /// Throws `Error(not_supported)` if the daemon does not know it.
    virtual Json call(std::string_view method, const Json& arguments) = 0;

    /// The same for a call that moves a file. A site that cannot tell how it gets on says nothing of it.
    virtual Json call_with_progress(std::string_view method, const Json& arguments, const OnProgress&) {
        return call(method, arguments);
    }

protected:
    ~Site() = default;  // a plugin never owns one

private:
    using Pictures = std::vector<std::pair<std::string, std::filesystem::path>>;  // by field

    static std::pair<Json, Pictures> without_pictures(const Json& data, bool drop_null) {
        std::pair<Json, Pictures> out{data, {}};
        if (!data.is_object()) return out;
        for (const auto* field : {"image", "filmstrip_image"}) {
            const auto found = data.find(field);
            if (found == data.end() || (found->is_null() && !drop_null)) continue;
            out.first.erase(field);
            if (found->is_null()) continue;
            if (!found->is_string()) throw Error(Cause::invalid, std::string(field) + " has to be a path");
            out.second.emplace_back(field, found->get<std::string>());
        }
        return out;
    }
    void send_pictures(const Pictures& pictures, Json& row) {
        if (pictures.empty()) return;
        const EntityRef entity{row.value("type", ""), row.value("id", EntityId{0}), {}};
        Names fields;
        for (const auto& [field, file] : pictures) {
            upload(entity, file, field);
            fields.push_back(field);
        }
        const auto now = find_one(entity.type, {"id", "is", entity.id}, fields);
        for (const auto& field : fields) row[field] = now.is_object() ? now.value(field, Json()) : Json();
    }
    static bool is_true(const Json& value) { return value.is_boolean() && value.get<bool>(); }
    static std::string as_text(const Json& value) {
        return value.is_string() ? value.get<std::string>() : std::string();
    }
    static EntityId as_id(const Json& value) {
        if (value.is_number_integer()) return value.get<EntityId>();
        throw Error(Cause::bad_answer, "an id was expected");
    }
    /// The daemon has a working directory of its own.
    static std::string whole_path(const std::filesystem::path& file) {
        std::error_code problem;
        auto whole = std::filesystem::absolute(file, problem);
        if (problem || file.empty()) throw Error(Cause::invalid, "'" + file.string() + "' leads to no file");
        return whole.string();
    }
    static Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }
    static Json number_or_null(const std::optional<std::int64_t>& number) {
        return number ? Json(*number) : Json();
    }
};

}  // namespace sg
