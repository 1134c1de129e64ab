// nav_expand and nav_search: projects, their assets by type, and their shots by sequence.

#include <algorithm>
#include <sstream>

#include "sandbox/params.hpp"
#include "sandbox/refusal.hpp"
#include "sandbox/relations.hpp"

namespace sg::sandbox {
namespace {

constexpr int fault_hierarchy = 107;
constexpr const char* no_group = "__none__";

/// What stands below a project, and by which field its rows are grouped.
struct Branch {
    const char* type;
    const char* label;
    const char* group_field;
    const char* group_type;  ///< the type a group links to; empty: the group is a word of a list
    const char* none_label;
};
constexpr Branch branches[] = {{"Asset", "Assets", "sg_asset_type", "", "Assets with no Type"},
                               {"Shot", "Shots", "sg_sequence", "Sequence", "Shots with no Sequence"}};

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> out;
    std::istringstream stream(path);
    for (std::string part; std::getline(stream, part, '/');)
        if (!part.empty()) out.push_back(part);
    return out;
}

struct Place {
    const Record* project = nullptr;
    const Branch* branch = nullptr;
    std::optional<std::string> group{};  ///< the last part of a group's path
    Id row = 0;
};

Id number(const std::string& text) {
    return !text.empty() && text.size() < 18 &&
                   std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })
               ? std::stoll(text)
               : 0;
}

/// Takes a path apart; refuses what does not lead anywhere.
Place place_at(const std::string& path, const Call& call) {
    const auto parts = parts_of(path);
    const auto lost = [&] {
        refuse(fault_hierarchy, "API {}() there is nothing at the path {}", call.method, path);
    };
    Place at;
    if (parts.empty()) return at;
    at.project = parts.size() < 2 || parts[0] != "Project"
                     ? nullptr
                     : std::as_const(call.store).find("Project", number(parts[1]));
    if (at.project == nullptr || at.project->retired) lost();
    if (parts.size() == 2) return at;
    for (const auto& branch : branches)
        if (parts[2] == branch.type) at.branch = &branch;
    if (at.branch == nullptr) lost();
    if (parts.size() == 3) return at;
    std::size_t next = 3;
    if (parts[next++] != at.branch->group_field) lost();
    if (*at.branch->group_type != '\0' && (next >= parts.size() || parts[next++] != at.branch->group_type))
        lost();
    if (next >= parts.size()) lost();
    at.group = parts[next++];
    if (next == parts.size()) return at;
    if (next + 2 != parts.size() || parts[next] != "id") lost();
    at.row = number(parts[next + 1]);
    return at;
}

std::string group_of(const Record& row, const Branch& branch) {
    const auto& value = row.value(branch.group_field);
    if (value.is_string()) return value.get<std::string>();
    const auto key = link_key(value);
    return key.id == 0 ? no_group : std::to_string(key.id);
}

std::string branch_path(const Record& project, const Branch& branch) {
    return fmt::format("/Project/{}/{}", project.id, branch.type);
}

std::string group_path(const Record& project, const Branch& branch, const std::string& group) {
    return fmt::format("{}/{}{}{}/{}", branch_path(project, branch), branch.group_field,
                       *branch.group_type == '\0' ? "" : "/", branch.group_type, group);
}

std::string group_label(const Branch& branch, const std::string& group, const EntityStore& store) {
    if (group == no_group) return branch.none_label;
    if (*branch.group_type == '\0') return group;
    const auto* row = store.find(branch.group_type, number(group));
    return row == nullptr ? group : row->name();
}

std::vector<const Record*> rows_in(const Record& project, const Branch& branch, const EntityStore& store) {
    std::vector<const Record*> out;
    for (const auto& [id, row] : store.rows(branch.type))
        if (!row.retired && link_key(row.value("project")).id == project.id) out.push_back(&row);
    return out;
}

Json entry(const std::string& label, const std::string& path, bool has_children, const char* kind,
           Json value) {
    return {{"label", label},
            {"path", path},
            {"has_children", has_children},
            {"ref", {{"kind", kind}, {"value", std::move(value)}}}};
}

Json group_entry(const Record& project, const Branch& branch, const std::string& group,
                 const EntityStore& store) {
    const auto path = group_path(project, branch, group);
    const auto label = group_label(branch, group, store);
    if (group == no_group) return entry(label, path, true, "entity_type", branch.type);
    if (*branch.group_type == '\0') return entry(label, path, true, "list", group);
    return entry(label, path, true, "entity", link_to(branch.group_type, number(group)));
}

Json row_entry(const Record& project, const Branch& branch, const Record& row) {
    return entry(row.name(),
                 group_path(project, branch, group_of(row, branch)) + "/id/" + std::to_string(row.id), false,
                 "entity", link_to(branch.type, row.id));
}

Json children_of(const Place& at, const EntityStore& store) {
    auto out = Json::array();
    if (at.project == nullptr) {
        for (const auto& [id, project] : store.rows("Project"))
            if (!project.retired && project.value("archived") != true)
                out.push_back(entry(project.name(), "/Project/" + std::to_string(id), true, "entity",
                                    link_to("Project", id)));
        return out;
    }
    if (at.branch == nullptr) {
        for (const auto& branch : branches)
            if (!rows_in(*at.project, branch, store).empty())
                out.push_back(
                    entry(branch.label, branch_path(*at.project, branch), true, "entity_type", branch.type));
        return out;
    }
    const auto rows = rows_in(*at.project, *at.branch, store);
    if (!at.group) {
        std::vector<std::string> groups;
        for (const auto* row : rows)
            if (const auto group = group_of(*row, *at.branch);
                std::ranges::find(groups, group) == groups.end())
                groups.push_back(group);
        std::ranges::sort(groups, {}, [&](const std::string& group) {
            return std::pair(group == no_group, lower(group_label(*at.branch, group, store)));
        });
        for (const auto& group : groups) out.push_back(group_entry(*at.project, *at.branch, group, store));
        return out;
    }
    for (const auto* row : rows)
        if (at.row == 0 && group_of(*row, *at.branch) == *at.group)
            out.push_back(row_entry(*at.project, *at.branch, *row));
    return out;
}

/// The entry of the place itself, and the path it hangs on.
Json self_entry(const Place& at, const EntityStore& store) {
    const auto with_parent = [](Json out, const std::string& parent) {
        out["parent_path"] = parent;
        return out;
    };
    if (at.project == nullptr) return with_parent(entry("Site", "/", true, "empty", nullptr), "");
    const auto project_path = "/Project/" + std::to_string(at.project->id);
    if (at.branch == nullptr)
        return with_parent(
            entry(at.project->name(), project_path, true, "entity", link_to("Project", at.project->id)), "/");
    const auto path = branch_path(*at.project, *at.branch);
    if (!at.group)
        return with_parent(entry(at.branch->label, path, true, "entity_type", at.branch->type), project_path);
    if (at.row == 0) return with_parent(group_entry(*at.project, *at.branch, *at.group, store), path);
    const auto* row = store.find(at.branch->type, at.row);
    if (row == nullptr || row->retired) return nullptr;
    return with_parent(row_entry(*at.project, *at.branch, *row),
                       group_path(*at.project, *at.branch, *at.group));
}

Json found(const Record& project, const Branch& branch, const Record& row, const EntityStore& store) {
    const auto group = group_of(row, branch);
    const auto in_group = group_path(project, branch, group);
    return {{"label", row.name()},
            {"path_label", fmt::format("{} > {}", branch.label, group_label(branch, group, store))},
            {"project_id", project.id},
            {"ref", link_to(branch.type, row.id)},
            {"incremental_path",
             {"/Project/" + std::to_string(project.id), branch_path(project, branch), in_group,
              fmt::format("{}/id/{}", in_group, row.id)}}};
}

}  // namespace

Json nav_expand(const Call& call) {
    const auto& fields = member(call.params, "entity_fields");
    if (!fields.is_null() && !fields.empty())
        refuse(fault_invalid, "API nav_expand() the sandbox doesn't support 'entity_fields'");
    const auto path = text_in(call.params, call, "path");
    const auto at = place_at(path, call);
    auto out = self_entry(at, call.store);
    if (out.is_null()) refuse(fault_hierarchy, "API nav_expand() there is nothing at the path {}", path);
    auto children = children_of(at, call.store);
    out["has_children"] = !children.empty();
    out["children"] = std::move(children);
    if (const auto seed = text_member(call.params, "seed_entity_field"); !seed.empty())
        out["target_entities"] = {
            {"type", seed.substr(0, seed.find('.'))},
            {"additional_filter_presets", {{{"preset_name", "NAV_ENTRIES"}, {"path", out["path"]}}}}};
    return out;
}

Json nav_search(const Call& call) {
    const auto at = place_at(text_in(call.params, call, "root_path"), call);
    const auto& criteria = member(call.params, "search_criteria");
    const auto &wanted = member(criteria, "entity"), &text = member(criteria, "search_string");
    if (wanted.is_null() == text.is_null() || (wanted.is_null() && !text.is_string()))
        refuse(fault_invalid, "API nav_search() 'search_criteria' needs 'search_string' or 'entity': {}",
               criteria.dump());
    const auto word = text.is_string() ? lower(text.get<std::string>()) : std::string();
    auto out = Json::array();
    const auto& store = std::as_const(call.store);
    for (const auto& [project_id, project] : store.rows("Project")) {
        if (project.retired || (at.project != nullptr && at.project != &project)) continue;
        for (const auto& branch : branches) {
            if (at.branch != nullptr && at.branch != &branch) continue;
            for (const auto* row : rows_in(project, branch, store)) {
                if (at.group && group_of(*row, branch) != *at.group) continue;
                const bool fits = text.is_string() ? lower(row->name()).find(word) != std::string::npos
                                                   : link_key(wanted) == LinkKey{branch.type, row->id};
                if (fits) out.push_back(found(project, branch, *row, store));
            }
        }
    }
    return out;
}

}  // namespace sg::sandbox
