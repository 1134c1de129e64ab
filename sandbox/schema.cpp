#include "sandbox/schema.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sg::sandbox {
namespace {

using enum DataType;
using Names = std::vector<std::string>;

const Names task_statuses{"wtg", "rdy", "ip", "pndng", "rev", "apr", "fin", "cmpt", "hld", "omt", "na"};
const Names shot_statuses{"wtg", "rdy", "ip", "rev", "apr", "fin", "cmpt", "hld", "omt"};
const Names people{"HumanUser", "ApiUser"};
const Names work{"Shot", "Asset", "Sequence"};

FieldDef plain(std::string name, DataType type = text) { return {std::move(name), type, {}, {}, {}, {}, {}}; }
FieldDef unique(std::string name) { return {std::move(name), text, {}, {}, {}, {}, {}, true}; }
FieldDef choice(std::string name, DataType type, Names values, nlohmann::json otherwise = nullptr) {
    return {std::move(name), type, {}, {}, std::move(values), std::move(otherwise), {}};
}
FieldDef flag(std::string name, bool otherwise = false) {
    return {std::move(name), checkbox, {}, {}, {}, otherwise, {}};
}
FieldDef link(std::string name, Names targets, std::string back_reference = {}) {
    return {std::move(name), entity, {}, std::move(targets), {}, nullptr, std::move(back_reference)};
}
FieldDef links(std::string name, Names targets, std::string back_reference = {}) {
    return {std::move(name),          multi_entity, {}, std::move(targets), {}, nlohmann::json::array(),
            std::move(back_reference)};
}
/// The other end of a link: kept up to date by writes to that link, and not written itself.
FieldDef listed(std::string name, Names targets) {
    return {std::move(name),
            multi_entity,
            Access::read_only,
            std::move(targets),
            {},
            nlohmann::json::array(),
            {}};
}

// clang-format off
std::vector<EntityDef> table() {
    return {
        {"Project", "name", false, {
            unique("name"), plain("code"), plain("sg_description"), flag("archived"), flag("is_template"),
            choice("sg_status", list, {"Active", "Bidding", "On Hold", "Completed"}, "Active"),
            plain("start_date", date), plain("end_date", date), plain("image", image), links("users", people)}},
        {"Sequence", "code", true, {
            plain("code"), plain("description"), choice("sg_status_list", status_list, shot_statuses, "wtg"),
            listed("shots", {"Shot"}), listed("tasks", {"Task"}), listed("sg_versions", {"Version"}),
            listed("notes", {"Note"}), plain("image", image)}},
        {"Shot", "code", true, {
            plain("code"), plain("description"), choice("sg_status_list", status_list, shot_statuses, "wtg"),
            link("sg_sequence", {"Sequence"}, "shots"), links("assets", {"Asset"}, "shots"),
            listed("tasks", {"Task"}), listed("sg_versions", {"Version"}), listed("notes", {"Note"}),
            plain("sg_cut_in", number), plain("sg_cut_out", number), plain("sg_cut_order", number),
            choice("sg_shot_type", list, {"VFX", "Full CG", "Cleanup"}), plain("image", image)}},
        {"Asset", "code", true, {
            plain("code"), plain("description"), choice("sg_status_list", status_list, shot_statuses, "wtg"),
            choice("sg_asset_type", list, {"Character", "Prop", "Environment", "Vehicle"}),
            listed("shots", {"Shot"}), listed("tasks", {"Task"}), listed("sg_versions", {"Version"}),
            listed("notes", {"Note"}), plain("image", image)}},
        {"Step", "code", false, {
            plain("code"), plain("short_name"), plain("list_order", number), plain("color", color),
            plain("entity_type", entity_type)}},
        {"Task", "content", true, {
            plain("content"), plain("sg_description"), choice("sg_status_list", status_list, task_statuses, "wtg"),
            link("entity", work, "tasks"), link("step", {"Step"}), links("task_assignees", people),
            plain("start_date", date), plain("due_date", date), plain("duration", duration),
            plain("est_in_mins", duration), flag("milestone"), plain("sg_sort_order", number),
            plain("color", color), listed("sg_versions", {"Version"}), listed("notes", {"Note"})}},
        {"Version", "code", true, {
            plain("code"), plain("description"),
            choice("sg_status_list", status_list, {"na", "rev", "vwd", "apr", "rej"}, "rev"),
            link("entity", work, "sg_versions"), link("sg_task", {"Task"}, "sg_versions"), link("user", people),
            plain("sg_first_frame", number), plain("sg_last_frame", number), plain("frame_count", number),
            plain("sg_path_to_movie"), plain("sg_path_to_frames"), plain("sg_uploaded_movie", url),
            listed("notes", {"Note"}), plain("image", image)}},
        {"Note", "subject", true, {
            plain("subject"), plain("content"), choice("sg_status_list", status_list, {"opn", "ip", "clsd"}, "opn"),
            links("note_links", {"Shot", "Asset", "Sequence", "Version"}, "notes"),
            links("tasks", {"Task"}, "notes"), link("user", people), links("addressings_to", people)}},
        {"HumanUser", "name", false, {
            plain("name"), plain("firstname"), plain("lastname"), unique("login"), plain("email"),
            choice("sg_status_list", status_list, {"act", "dis"}, "act"), plain("image", image)}},
        {"ApiUser", "firstname", false, {
            unique("firstname"), plain("lastname"), plain("description"), flag("generate_event_log_entries", true)}},
        {"EventLogEntry", "description", false, {
            plain("event_type"), plain("attribute_name"), plain("description"), plain("meta", serializable),
            link("entity", {}), link("user", {}), link("project", {"Project"}), plain("session_uuid", uuid)}},
    };
}
// clang-format on

/// What every type has beside its own fields.
std::vector<EntityDef> completed() {
    auto types = table();
    for (auto& type : types) {
        auto& fields = type.fields;
        fields.insert(fields.begin(), FieldDef{"id", number, Access::read_only, {}, {}, {}, {}});
        fields.push_back({"created_at", date_time, Access::create_only, {}, {}, {}, {}});
        fields.push_back({"cached_display_name", text, Access::read_only, {}, {}, {}, {}});
        if (type.type == "EventLogEntry") continue;
        fields.push_back({"created_by", entity, Access::create_only, people, {}, {}, {}});
        fields.push_back({"updated_at", date_time, Access::read_only, {}, {}, {}, {}});
        fields.push_back({"updated_by", entity, Access::read_only, people, {}, {}, {}});
        if (type.in_project) fields.push_back(link("project", {"Project"}));
    }
    return types;
}

}  // namespace

std::string_view name_of(DataType type) noexcept {
    static constexpr std::array<std::string_view, 18> names{
        "text",        "number",    "float", "percent",     "duration", "checkbox",
        "date",        "date_time", "list",  "status_list", "entity",   "multi_entity",
        "entity_type", "uuid",      "color", "image",       "url",      "serializable"};
    return names[static_cast<std::size_t>(type)];
}

const FieldDef* EntityDef::field(std::string_view name) const noexcept {
    const auto found = std::ranges::find(fields, name, &FieldDef::name);
    return found == fields.end() ? nullptr : &*found;
}

const std::vector<EntityDef>& schema() {
    static const std::vector<EntityDef> types = completed();
    return types;
}

const EntityDef* find_entity(std::string_view type) noexcept {
    const auto found = std::ranges::find(schema(), type, &EntityDef::type);
    return found == schema().end() ? nullptr : &*found;
}

}  // namespace sg::sandbox
