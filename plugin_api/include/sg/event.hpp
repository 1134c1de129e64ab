#pragma once
// One row of the site's event log.

#include <nlohmann/json.hpp>
#include <sg/types.hpp>
#include <string>
#include <string_view>

namespace sg {

/// One `EventLogEntry`, immutable, shared by every callback of the plugin that wants it.
///
/// What the daemon has already read (`id`, `type`, `attribute`, `project_id`, `created_at`) costs
/// nothing; everything else is parsed from the site's own bytes at the first look, once.
///
/// Threads:  every member may be called from any thread.
/// Lifetime: as long as the callback runs. Copy what must outlive it.
/// Errors:   none; what the site left out reads as empty, zero or null.
class Event {
public:
    virtual EventId id() const noexcept = 0;

    /// `Shotgun_Task_Change`, for instance. Not every type has three parts: treat it as opaque.
    virtual std::string_view type() const noexcept = 0;

    /// The field that changed; empty for events that are no change of a field.
    virtual std::string_view attribute() const noexcept = 0;

    /// The project's id, 0 where the event belongs to none.
    virtual EntityId project_id() const noexcept = 0;

    /// When the site wrote the row, UTC, whole seconds; the epoch where it sent no time.
    virtual UtcTime created_at() const noexcept = 0;

    /// The row exactly as the site sent it, UTF-8 JSON text; not terminated by a zero.
    virtual std::string_view raw() const noexcept = 0;

    /// The row as a JSON object, every field the daemon asked for included.
    virtual const nlohmann::json& json() const = 0;

    /// Any field of the row; null where it is absent.
    const nlohmann::json& field(const char* name) const { return member(json(), name); }

    /// What happened, in the site's own shape (`attribute_change`, `new_entity`, …); null for some types.
    const nlohmann::json& meta() const { return field("meta"); }

    /// The value before and after a change of a field; null where there is none. Changes of a
    /// multi-entity field have `added()` and `removed()` instead, which are null elsewhere.
    const nlohmann::json& old_value() const { return member(meta(), "old_value"); }
    const nlohmann::json& new_value() const { return member(meta(), "new_value"); }
    const nlohmann::json& added() const { return member(meta(), "added"); }
    const nlohmann::json& removed() const { return member(meta(), "removed"); }

    /// Whether the change was part of creating the entity.
    bool in_create() const {
        const auto& flag = member(meta(), "in_create");
        return flag.is_boolean() && flag.get<bool>();
    }

    /// What the event is about; the null link where the site named nothing, and once the entity is
    /// retired, even if it was not when the event happened: see `meta_entity`.
    EntityRef entity() const { return EntityRef::from_json(field("entity")); }

    /// Type and id (no name) of the entity that `meta` speaks of; the null link where it names none.
    /// Still there when `entity()` is null because the entity was retired since. Usually the same
    /// entity; not in a back reference.
    EntityRef meta_entity() const {
        const auto& type = member(meta(), "entity_type");
        const auto& id = member(meta(), "entity_id");
        return EntityRef::from_json({{"type", type}, {"id", id}});
    }

    /// True for the far side of a link: a Task was given a Shot, and this row tells of the Shot's
    /// `tasks`. Type, attribute and `entity()` speak of the Shot then, `meta_entity()` of the Task.
    bool is_back_reference() const {
        return !member(meta(), "original_event_log_entry_id").is_null() ||
               !member(meta(), "actual_attribute_changed").is_null();
    }

    /// Who caused it: a `HumanUser`, or a script as `ApiUser`.
    EntityRef user() const { return EntityRef::from_json(field("user")); }

    EntityRef project() const { return EntityRef::from_json(field("project")); }

    /// The browser session that caused it, empty for most scripts.
    std::string session_uuid() const {
        const auto& uuid = field("session_uuid");
        return uuid.is_string() ? uuid.get<std::string>() : std::string();
    }

protected:
    ~Event() = default;

private:
    static const nlohmann::json& member(const nlohmann::json& object, const char* name) {
        static const nlohmann::json null;
        if (!object.is_object()) return null;
        const auto found = object.find(name);
        return found == object.end() ? null : *found;
    }
};

}  // namespace sg
