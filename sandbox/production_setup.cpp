// What a production begins with, or finds.

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "sandbox/production.hpp"

namespace sg::sandbox {
namespace {

using Names = std::vector<std::string>;

const Names shot_steps{"Anim", "FX", "Light", "Comp"}, asset_steps{"Model", "Rig", "Surface"};
constexpr std::array people_names{"Ada Brandt",  "Bao Nguyen",   "Carla Moreno", "Dev Patel",
                                  "Elif Kaya",   "Femi Okoye",   "Greta Lindh",  "Hugo Marchand",
                                  "Ines Duarte", "Jun Watanabe", "Kofi Mensah",  "Lena Vogt"};
struct AssetName {
    const char *name, *kind;
};
constexpr std::array<AssetName, 5> asset_names{{{"lantern", "Prop"},
                                                {"harbour", "Environment"},
                                                {"tram", "Vehicle"},
                                                {"keeper", "Character"},
                                                {"gull", "Character"}}};

std::vector<LinkKey> links(const Json& value) {
    std::vector<LinkKey> out;
    if (value.is_array())
        for (const auto& link : value) out.push_back(link_key(link));
    return out;
}

}  // namespace

std::string Production::text(const std::string& type, Id id, const std::string& field) const {
    const auto value = site_.value(type, id, field);
    return value.is_string() ? value.get<std::string>() : std::string();
}

void Production::add_people() {
    const auto known = site_.ids("HumanUser");
    for (const std::string name : people_names) {
        auto login = name.substr(0, name.find(' '));
        std::ranges::transform(login, login.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const auto found =
            std::ranges::find_if(known, [&](Id id) { return text("HumanUser", id, "login") == login; });
        people_.push_back({found != known.end() ? *found : site_.add_person(name, login), name});
    }
}

void Production::add_steps() {
    const auto known = site_.ids("Step");
    const auto add = [&](const Names& names, const char* type) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto found =
                std::ranges::find_if(known, [&](Id id) { return text("Step", id, "code") == names[i]; });
            steps_[names[i]] =
                found != known.end()
                    ? *found
                    : site_.add("Step", {{"code", names[i]}, {"entity_type", type}, {"list_order", i}});
        }
    };
    add(shot_steps, "Shot");
    add(asset_steps, "Asset");
}

void Production::add_project(const std::string& name, const std::string& code) {
    for (const auto id : site_.ids("Project"))
        if (text("Project", id, "name") == name) return take_up(id);
    const auto project = site_.add("Project", {{"name", name}, {"code", code}});
    std::vector<Id> assets;
    for (const auto& asset : asset_names)
        assets.push_back(add_asset(project, fmt::format("{}_{}", code, asset.name), asset.kind));
    for (int s = 1; s <= 2; ++s) {
        const auto sequence_name = fmt::format("{}_{:03}", code, s * 10);
        const auto sequence =
            site_.add("Sequence", {{"code", sequence_name}, {"project", link_to("Project", project)}});
        for (int i = 1; i <= 12; ++i)
            add_shot(project, sequence, fmt::format("{}_{:04}", sequence_name, i * 10), assets);
    }
}

void Production::add_tasks(Work& work, const Names& steps, std::size_t count) {
    static constexpr std::array<const char*, 10> beginnings{"wtg", "wtg", "ip",  "ip",  "ip",
                                                            "rev", "rev", "fin", "fin", "fin"};
    for (auto step = steps.size() - count; step < steps.size(); ++step) {  // everything ends in the last
        const std::string status = step + 1 == steps.size() ? "ip" : beginnings[below(beginnings.size())];
        const auto assigned = somebody().id;
        const auto id =
            site_.add("Task", {{"content", steps[step]},
                               {"project", link_to("Project", work.project)},
                               {"entity", link_to(work.type, work.id)},
                               {"step", link_to("Step", steps_[steps[step]])},
                               {"sg_status_list", status},
                               {"task_assignees", Json::array({link_to("HumanUser", assigned)})}});
        work.tasks.push_back({id, steps[step], status, assigned});
    }
}

void Production::add_shot(Id project, Id sequence, const std::string& name, const std::vector<Id>& assets) {
    const auto first = below(assets.size());
    auto in_it = Json::array({link_to("Asset", assets[first])});
    if (const auto second = below(assets.size()); second != first)
        in_it.push_back(link_to("Asset", assets[second]));
    Work shot{"Shot",
              site_.add("Shot", {{"code", name},
                                 {"project", link_to("Project", project)},
                                 {"sg_sequence", link_to("Sequence", sequence)},
                                 {"assets", in_it},
                                 {"sg_status_list", "ip"}}),
              project, name};
    add_tasks(shot, shot_steps, 2 + below(3));
    shots_.push_back(std::move(shot));
}

Id Production::add_asset(Id project, const std::string& name, const std::string& kind) {
    Work asset{"Asset",
               site_.add("Asset", {{"code", name},
                                   {"project", link_to("Project", project)},
                                   {"sg_asset_type", kind},
                                   {"sg_status_list", "ip"}}),
               project, name};
    add_tasks(asset, asset_steps, 2 + below(2));
    assets_.push_back(std::move(asset));
    return assets_.back().id;
}

Production::Work Production::found_work(const std::string& type, Id id, Id project) const {
    Work work{type, id, project, text(type, id, "code")};
    for (const auto& task : links(site_.value(type, id, "tasks"))) {
        const auto assigned = links(site_.value("Task", task.id, "task_assignees"));
        work.tasks.push_back({task.id, text("Task", task.id, "content"),
                              text("Task", task.id, "sg_status_list"),
                              assigned.empty() ? 0 : assigned.front().id});
    }
    work.versions = static_cast<int>(links(site_.value(type, id, "sg_versions")).size());
    return work;
}

/// Goes on with a project that is there already.
void Production::take_up(Id project) {
    const auto of_project = [&](const char* type) {
        auto ids = site_.ids(type);
        std::erase_if(ids, [&](Id id) { return link_key(site_.value(type, id, "project")).id != project; });
        return ids;
    };
    for (const auto id : of_project("Shot"))
        if (auto shot = found_work("Shot", id, project); !shot.tasks.empty())
            shots_.push_back(std::move(shot));
    for (const auto id : of_project("Asset"))
        if (auto asset = found_work("Asset", id, project); !asset.tasks.empty())
            assets_.push_back(std::move(asset));
    for (const auto id : of_project("Version"))
        if (const auto status = text("Version", id, "sg_status_list"); status == "rev")
            in_review_.push_back({id, project, text("Version", id, "code"), status,
                                  link_key(site_.value("Version", id, "entity"))});
    for (const auto id : of_project("Note"))
        if (text("Note", id, "sg_status_list") == "opn")
            open_notes_.push_back({id, text("Note", id, "subject")});
    for (const auto id : of_project("Playlist")) {
        auto& playlist = playlists_[project];
        ++playlist.number;
        playlist.id = id;
        playlist.name = text("Playlist", id, "code");
        playlist.versions.clear();
        for (const auto& version : links(site_.value("Playlist", id, "versions")))
            playlist.versions.push_back(version.id);
    }
}

}  // namespace sg::sandbox
