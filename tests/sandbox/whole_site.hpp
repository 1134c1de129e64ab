#pragma once
// All that a site shows, to compare it with another.

#include <string>

#include "raw_http.hpp"

namespace sg::test {

/// Every row of every type that a production writes, as the site shows it.
inline std::string whole_site(const std::string& url) {
    RawClient client(url);
    std::string out;
    for (const auto* type : {"Project", "Sequence", "Shot", "Asset", "Task", "Version", "Note", "Reply",
                             "Playlist", "HumanUser", "ApiUser", "EventLogEntry"})
        for (const auto* only : {"active", "retired"}) {
            const Json fields{"code",        "name",           "content",    "firstname",  "sg_status_list",
                              "project",     "entity",         "tasks",      "user",       "note_links",
                              "event_type",  "attribute_name", "meta",       "created_at", "session_uuid",
                              "description", "task_assignees", "created_by", "updated_by", "versions",
                              "replies",     "sg_versions"};
            out += client
                       .rows(type, {}, fields,
                             {{"return_only", only},
                              {"paging", {{"entities_per_page", 5000}, {"current_page", 1}}}})
                       .dump() +
                   "\n";
        }
    return out;
}

}  // namespace sg::test
