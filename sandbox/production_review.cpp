// Versions, and what people say about them.

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "sandbox/production.hpp"

namespace sg::sandbox {
namespace {

constexpr std::size_t versions_of_a_playlist = 8, looked_at = 24;
constexpr std::array remarks{"Edges flicker in the last ten frames.",
                             "Lovely. One more pass on the contact shadows?", "Matches the reference now.",
                             "Hold this until the plate is regraded.", "Client asks for a slower push in."};
constexpr std::array answers{"On it.", "Done, see the next version.", "Could you draw over the frame?",
                             "That is in the plate; asking editorial."};

Json link_to_person(Id id) { return link_to("HumanUser", id); }

template <class T>
void forget_oldest(std::vector<T>& of) {
    if (of.size() > looked_at) of.erase(of.begin());
}

}  // namespace

PlayedChange Production::add_version() {
    auto& work = chance(80) ? busy_shot() : any(assets_);
    const auto& task = any(work.tasks);
    const auto& who = somebody();
    const auto code = fmt::format("{}_{}_v{:03}", work.name, task.name, ++work.versions);
    PlayedChange change{"version", who.name, work.name + " / " + task.name, "Version", 0, "code", "",
                        code,      0};
    change.entity = site_.create(as(who.id), "Version",
                                 {{"code", code},
                                  {"project", link_to("Project", work.project)},
                                  {"entity", link_to(work.type, work.id)},
                                  {"sg_task", link_to("Task", task.id)},
                                  {"user", link_to_person(who.id)}},
                                 &change.event);
    in_review_.push_back({change.entity, work.project, code, "rev", work.key()});
    forget_oldest(in_review_);
    return change;
}

/// A version's status moves on, once.
PlayedChange Production::review() {
    if (in_review_.empty()) return add_version();
    const auto at = below(in_review_.size());
    const auto version = in_review_[at];
    const auto& who = somebody();
    const std::string status = chance(60) ? "apr" : chance(50) ? "vwd" : "rej";
    PlayedChange change{"review",         who.name,       version.name, "Version", version.id,
                        "sg_status_list", version.status, status,       0};
    change.event = site_.update(as(who.id), "Version", version.id, {{"sg_status_list", status}});
    in_review_.erase(in_review_.begin() + static_cast<std::ptrdiff_t>(at));
    return change;
}

/// The project's playlist gets a version, until it is full and the next one is begun.
PlayedChange Production::put_on_playlist() {
    if (in_review_.empty()) return add_version();
    const auto& version = any(in_review_);
    const auto& who = somebody();
    auto& playlist = playlists_[version.project];
    const bool full = playlist.id == 0 || playlist.versions.size() >= versions_of_a_playlist;
    if (full || std::ranges::find(playlist.versions, version.id) != playlist.versions.end()) {
        playlist.name =
            fmt::format("{} dailies {}", text("Project", version.project, "name"), ++playlist.number);
        playlist.versions = {version.id};
        PlayedChange change{"playlist", who.name, playlist.name, "Playlist", 0,
                            "versions", "",       version.name,  0};
        change.entity = playlist.id =
            site_.create(as(who.id), "Playlist",
                         {{"code", playlist.name},
                          {"project", link_to("Project", version.project)},
                          {"versions", Json::array({link_to("Version", version.id)})}},
                         &change.event);
        return change;
    }
    PlayedChange change{"playlist", who.name, playlist.name, "Playlist", playlist.id,
                        "versions", "",       version.name,  0};
    playlist.versions.push_back(version.id);
    auto versions = Json::array();
    for (const auto id : playlist.versions) versions.push_back(link_to("Version", id));
    change.event = site_.update(as(who.id), "Playlist", playlist.id, {{"versions", versions}});
    return change;
}

PlayedChange Production::add_note() {
    const auto& who = somebody();
    const std::string content = remarks[below(remarks.size())];
    std::string about;
    Id project = 0;
    auto note_links = Json::array();
    if (!in_review_.empty() && chance(75)) {
        const auto& version = any(in_review_);
        about = version.name, project = version.project;
        note_links = {link_to("Version", version.id), link_to(version.of.type, version.of.id)};
    } else {
        const auto& shot = busy_shot();
        about = shot.name, project = shot.project;
        note_links = {link_to("Shot", shot.id)};
    }
    PlayedChange change{"note", who.name, about, "Note", 0, "content", "", content, 0};
    change.entity = site_.create(as(who.id), "Note",
                                 {{"subject", "Note on " + about},
                                  {"content", content},
                                  {"project", link_to("Project", project)},
                                  {"note_links", note_links},
                                  {"user", link_to_person(who.id)}},
                                 &change.event);
    open_notes_.push_back({change.entity, "Note on " + about});
    forget_oldest(open_notes_);
    return change;
}

PlayedChange Production::reply() {
    if (open_notes_.empty()) return add_note();
    auto& note = any(open_notes_);
    const auto& who = somebody();
    const std::string content = answers[below(answers.size())];
    ++note.replies;
    PlayedChange change{"reply", who.name, note.subject, "Reply", 0, "content", "", content, 0};
    change.entity = site_.create(
        as(who.id), "Reply",
        {{"content", content}, {"entity", link_to("Note", note.id)}, {"user", link_to_person(who.id)}},
        &change.event);
    return change;
}

PlayedChange Production::close_note() {
    if (open_notes_.empty()) return add_note();
    const auto at = below(open_notes_.size());
    const auto note = open_notes_[at];
    const auto& who = somebody();
    PlayedChange change{"closed",         who.name, note.subject, "Note", note.id,
                        "sg_status_list", "opn",    "clsd",       0};
    change.event = site_.update(as(who.id), "Note", note.id, {{"sg_status_list", "clsd"}});
    open_notes_.erase(open_notes_.begin() + static_cast<std::ptrdiff_t>(at));
    return change;
}

}  // namespace sg::sandbox
