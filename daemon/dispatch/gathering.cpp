#include "dispatch/gathering.hpp"

#include <fmt/format.h>

#include "event/row_event.hpp"

namespace sg::dispatch {

std::string gathering_key(const host::Gathering& gathering, const event::EventRow& row) {
    const event::RowEvent event(row);
    const auto alone = [&] { return fmt::format("#{}", row.id); };
    const auto by = gathering.settle.count() != 0 ? MergeBy::entity : gathering.by;
    if (by == MergeBy::nothing) return "*";
    if (by == MergeBy::project) return row.project != 0 ? fmt::format("{}", row.project) : alone();
    const auto entity = event::entity_key(event);
    if (entity.empty()) return alone();
    return by == MergeBy::entity ? entity : fmt::format("{} {}", entity, row.type);
}

Stir stir_of(const event::EventRow& row) {
    const event::RowEvent event(row);
    return {event::entity_key(event), event.in_create()};
}

}  // namespace sg::dispatch
