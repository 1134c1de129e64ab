#pragma once
// The methods that change something, and the event rows that tell of it.

#include <optional>
#include <string>
#include <vector>

#include "sandbox/event_log.hpp"
#include "sandbox/permissions.hpp"

namespace sg::sandbox {

/// On whose behalf a write happens.
struct Caller {
    LinkKey user{};                             ///< ApiUser or HumanUser; type empty: nobody
    std::optional<std::string> session_uuid{};  ///< copied into the event rows
    Json sudo_actual_user = nullptr;            ///< the script behind a `sudo_as_login`
    bool logs_events = true;                    ///< the script's `generate_event_log_entries`
    Permissions may{};
};

struct FieldWrite {
    std::string field;
    Json value;
    std::string mode = "set";  ///< of a multi link: set, add or remove
};

/// Writes to the store and the log as one transaction: a refused write (`Refusal`) has changed nothing.
///
/// Threads: none of its own; the site's lock guards it.
class Writer {
public:
    Writer(EntityStore& store, EventLog& log) : store_(store), log_(log) {}

    /// A new row; `id` 0 means the next one.
    Record& create(const Caller& caller, const EntityDef& def, const std::vector<FieldWrite>& fields,
                   Seconds now, Id id = 0);
    /// Returns the id of the first event row, 0 if nothing changed or nothing is logged.
    Id update(const Caller& caller, const EntityDef& def, Id id, const std::vector<FieldWrite>& fields,
              Seconds now);
    /// False if the row was retired already.
    bool remove(const Caller& caller, const EntityDef& def, Id id, Seconds now);
    /// False if the row was live.
    bool revive(const Caller& caller, const EntityDef& def, Id id, Seconds now);
    /// A row that tells of something other than a field: `Shotgun_TYPE_ACTION`. Returns its id.
    Id tell(const Caller& caller, const Record& record, std::string_view action, const std::string& attribute,
            nlohmann::ordered_json meta, Seconds now) {
        return log_row(caller, record, action, attribute, std::move(meta), now);
    }
    /// A row in the event log, as tools other than the site write them; returns its id.
    Id create_event(const Caller& caller, const std::vector<FieldWrite>& fields, Seconds now);

    /// Sets a field past the checks of an update, as an upload does, with a row of its own `meta`; the row's
    /// id. It is in file_writes.cpp.
    Id put(const Caller& caller, Record& record, const std::string& field, Json value,
           nlohmann::ordered_json meta, Seconds now);

private:
    struct Change {
        const FieldDef* field = nullptr;
        Json before, after;
    };
    enum class In { create, update };

    Record& existing(const EntityDef& def, Id id, std::string_view method);
    Change checked(const EntityDef& def, const Record* record, const FieldWrite& write, In in);
    void check_unique(const EntityDef& def, const Record* record, const Change& change, In in);
    void apply(Record& record, const Change& change);
    void update_back_references(const Record& record, const Change& change);
    Id log_change(const Caller& caller, const Record& record, const Change& change, Seconds now, In in);
    void log_back_references(const Caller& caller, const Record& record, const Change& change, Id original,
                             Seconds now, In in);
    void retire(const Caller& caller, Record& record, const Record& because_of, Seconds now);
    void retire_dependents(const Caller& caller, const Record& record, Seconds now);
    void log_retirement_date(const Caller& caller, const Record& record, const Json& before,
                             const Json& after, Seconds now);
    Id log_row(const Caller& caller, const Record& record, std::string_view action,
               const std::string& attribute, nlohmann::ordered_json meta, Seconds now);
    nlohmann::ordered_json in_meta(const Json& value) const;
    nlohmann::ordered_json in_meta_array(const Json& links) const;

    EntityStore& store_;
    EventLog& log_;
};

}  // namespace sg::sandbox
