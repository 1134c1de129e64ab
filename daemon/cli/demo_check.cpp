// Compares three accounts of the demo: the site's, the daemon's and the recorder's.

#include "cli/demo_check.hpp"

#include <fstream>

namespace sg::cli {
namespace {

using nlohmann::json;

/// How often the recorder wrote each event down.
Result<std::map<EventId, int>> read_journal(const std::filesystem::path& journal) {
    std::map<EventId, int> times;
    std::ifstream in(journal);
    for (std::string line; std::getline(in, line);) {
        const auto entry = json::parse(line, nullptr, false);
        if (!entry.is_object() || !entry.contains("event"))
            return fail(Cause::bad_answer, "the recorder wrote a line that is not its own");
        ++times[entry["event"].get<EventId>()];
    }
    return times;
}

std::string text(const json& row, const char* field) {
    const auto at = row.find(field);
    return at != row.end() && at->is_string() ? at->get<std::string>() : "";
}

bool sets_shot_status(const json& row, const std::string& script) {
    const auto user = row.find("user"), entity = row.find("entity");
    return text(row, "event_type") == "Shotgun_Shot_Change" &&
           text(row, "attribute_name") == "sg_status_list" && user != row.end() && user->is_object() &&
           user->value("name", "") == script && entity != row.end() && entity->is_object();
}

}  // namespace

Result<DemoResult> check_demo(site::Client& client, const site::Script& script, EventId after,
                              const DemoBook& book, const std::filesystem::path& journal,
                              const std::string& status_script) {
    site::FindRequest request;
    request.query.type = "EventLogEntry";
    request.query.filters = json::array({json::array({"id", "greater_than", after})});
    request.query.fields = {"event_type", "attribute_name", "entity", "user"};
    request.query.order = json::array({{{"field_name", "id"}, {"direction", "asc"}}});
    site::CallOptions options;
    options.credential = script;
    const auto rows = client.find(request, options);
    if (!rows) return fail(rows.error(), "reading the event log of the sandbox");
    const auto recorded = read_journal(journal);
    if (!recorded) return tl::unexpected(recorded.error());

    DemoResult result;
    const auto tallies = book.tallies();
    for (const auto& row : *rows) {
        ++result.rows;
        const auto id = row.at("id").get<EventId>();
        for (const auto& plugin : book.wanted_by(text(row, "event_type"), text(row, "attribute_name")))
            if (tallies.at(plugin).handled.count(id) == 0)
                result.missing.push_back(fmt::format("{} did not handle event {}", plugin, id));
        if (const auto at = recorded->find(id); at == recorded->end() || at->second != 1)
            result.missing.push_back(fmt::format("the recorder wrote event {} {} times", id,
                                                 at == recorded->end() ? 0 : at->second));
        if (sets_shot_status(row, status_script))
            result.shots.insert(row.at("entity").at("id").get<EntityId>());
    }
    if (recorded->size() > result.rows)
        result.missing.push_back("the recorder wrote events that the site does not have");
    return result;
}

}  // namespace sg::cli
