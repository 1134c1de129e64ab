// Deleting and reviving, with what hangs on a row.

#include <algorithm>

#include "sandbox/refusal.hpp"
#include "sandbox/write.hpp"

namespace sg::sandbox {
namespace {

// Not names that a schema can have: no read shows them.
constexpr const char* retired_at = "$retired_at";      ///< the date as the event rows have it
constexpr const char* retired_with = "$retired_with";  ///< the row whose delete took this one along

}  // namespace

void Writer::log_retirement_date(const Caller& caller, const Record& record, const Json& before,
                                 const Json& after, Seconds now) {
    log_row(caller, record, "Change", "retirement_date",
            {{"type", "attribute_change"},
             {"attribute_name", "retirement_date"},
             {"entity_type", record.def->type},
             {"entity_id", record.id},
             {"old_value", before},
             {"new_value", after}},
            now);
}

void Writer::retire(const Caller& caller, Record& record, const Record& because_of, Seconds now) {
    store_.set_retired(record, true);
    const auto& type = record.def->type;
    const auto date = utc_text(now);
    record.fields[retired_at] = date;
    if (&record != &because_of) record.fields[retired_with] = link_to(because_of.def->type, because_of.id);
    log_row(caller, record, "Retirement", {},
            {{"type", "entity_retirement"},
             {"id", record.id},
             {"class_name", type},
             {"entity_type", type},
             {"entity_id", record.id},
             {"display_name", record.name()},
             {"retirement_date", date}},
            now);
    log_retirement_date(caller, record, nullptr, date, now);
}

/// What hangs on a Shot, Asset or Sequence goes with it; a Task takes its dependencies along.
void Writer::retire_dependents(const Caller& caller, const Record& record, Seconds now) {
    if (record.def->type == "Task") {
        const auto self = link_to("Task", record.id);
        std::vector<Id> found;
        for (const auto& [id, row] : std::as_const(store_).rows("TaskDependency"))
            if (!row.retired && (row.value("task") == self || row.value("dependent_task") == self))
                found.push_back(id);
        for (const auto id : found) retire(caller, *store_.find("TaskDependency", id), record, now);
        return;
    }
    for (const auto* list : {"tasks", "sg_versions"}) {
        const auto hanging = record.value(list);
        if (!hanging.is_array()) continue;
        for (const auto& link : hanging) {
            const auto key = link_key(link);
            auto* row = store_.find(key.type, key.id);
            // A version on a shot and on one of its tasks hangs on both.
            if (row != nullptr && !row->retired && key.type != record.def->type)
                retire(caller, *row, record, now);
        }
    }
}

bool Writer::remove(const Caller& caller, const EntityDef& def, Id id, Seconds now) {
    auto& record = existing(def, id, "delete");
    if (record.retired) return false;
    retire_dependents(caller, record, now);
    retire(caller, record, record, now);
    return true;
}

bool Writer::revive(const Caller& caller, const EntityDef& def, Id id, Seconds now) {
    auto& record = existing(def, id, "revive");
    if (!record.retired) return false;
    const auto wake = [&](Record& row) {
        store_.set_retired(row, false);
        const auto date = row.value(retired_at);
        row.fields.erase(retired_at);
        row.fields.erase(retired_with);
        return date;
    };
    const auto date = wake(record);
    const auto self = link_to(def.type, id);
    for (const auto* type : {"Task", "Version", "TaskDependency"}) {
        std::vector<Id> taken_along;
        for (const auto& [other, row] : std::as_const(store_).rows(type))
            if (row.retired && row.value(retired_with) == self) taken_along.push_back(other);
        for (const auto other : taken_along) {
            auto& row = *store_.find(type, other);
            const auto before = wake(row);
            log_retirement_date(caller, row, before, nullptr, now);
        }
    }
    log_retirement_date(caller, record, date, nullptr, now);
    log_row(caller, record, "Revival", {},
            {{"type", "entity_revival"},
             {"class_name", def.type},
             {"display_name", record.name()},
             {"entity_type", def.type},
             {"entity_id", id},
             {"id", id}},
            now);
    return true;
}

}  // namespace sg::sandbox
