#pragma once
// Answers of a site as text.

#include <nlohmann/json.hpp>
#include <sg/types.hpp>
#include <string>
#include <vector>

namespace sg::test {

inline nlohmann::json event_json(EventId id, const std::string& created_at = "2026-03-04T00:00:00Z") {
    return {{"type", "EventLogEntry"},
            {"id", id},
            {"event_type", "Shotgun_Task_Change"},
            {"attribute_name", "sg_status_list"},
            {"meta", {{"type", "attribute_change"}, {"old_value", "wtg"}, {"new_value", "ip"}}},
            {"entity", {{"type", "Task"}, {"id", 11793}, {"name", "Art"}}},
            {"user", {{"type", "HumanUser"}, {"id", 42}, {"name", "Ravi"}}},
            {"project", {{"type", "Project"}, {"id", 70}, {"name", "Demo"}}},
            {"session_uuid", nullptr},
            {"created_at", created_at}};
}

inline std::string page_json(const nlohmann::json& rows) {
    return nlohmann::json{{"results", {{"entities", rows}, {"paging_info", {{"current_page", 1}}}}}}.dump();
}

inline std::string page_json(const std::vector<EventId>& ids) {
    auto rows = nlohmann::json::array();
    for (const auto id : ids) rows.push_back(event_json(id));
    return page_json(rows);
}

}  // namespace sg::test
