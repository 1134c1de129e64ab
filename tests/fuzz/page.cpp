// Pages of the event log. Whatever is accepted must be what another JSON reader finds in the same bytes.

#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "stream/page_reader.hpp"

using namespace sg;
using namespace sg::stream;

namespace {

/// The first byte says what was asked for.
EventQuery query_of(char byte) {
    EventQuery query;
    query.kind = static_cast<EventQuery::Kind>(static_cast<unsigned char>(byte) % 5);
    query.after = 100;
    query.ranges = {{1, 99}, {200, 300}};
    return query;
}

bool asked_for(const EventQuery& query, EventId id) {
    using Kind = EventQuery::Kind;
    if (query.kind == Kind::newest || query.kind == Kind::since) return true;
    if (query.kind == Kind::after || query.kind == Kind::window) return id > 100;
    return (id >= 1 && id <= 99) || (id >= 200 && id <= 300);
}

std::string text_of(const nlohmann::json& row, const char* key) {
    const auto field = row.find(key);
    return field == row.end() || field->is_null() ? std::string() : field->get<std::string>();
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    static PageReader reader;
    const auto query = query_of(input[0]);
    const std::string bytes(input.substr(1));
    const auto got = reader.read(bytes, query);
    if (!got) return SG_MUST(!got.error().message.empty());
    const auto document = nlohmann::json::parse(bytes);
    const auto results = document.find("results");
    const auto& entities = (results == document.end() ? document : *results).at("entities");
    SG_MUST(entities.size() == got->facts.rows);
    SG_MUST(got->page->rows().size() + got->facts.repeated + got->facts.ignored == got->facts.rows);
    EventId last = 0;
    for (const auto& row : got->page->rows()) {
        SG_MUST(row.id > last);
        SG_MUST(asked_for(query, row.id));
        last = row.id;
        const auto parsed = nlohmann::json::parse(row.raw);
        SG_MUST(parsed.at("id") == row.id);
        SG_MUST(std::find(entities.begin(), entities.end(), parsed) != entities.end());
        SG_MUST(text_of(parsed, "event_type") == row.type);
        SG_MUST(text_of(parsed, "attribute_name") == row.attribute);
        const auto project = parsed.find("project");
        const bool linked = project != parsed.end() && project->is_object() && project->contains("id");
        SG_MUST(row.project == (linked ? project->at("id").get<EntityId>() : 0));
        SG_MUST(!text_of(parsed, "created_at").empty() || row.created_at == std::chrono::sys_seconds());
    }
}
