#pragma once
// Small values that every other header of the SDK uses.

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace sg {

/// The id of an `EventLogEntry`, or of any entity. 64 bits: long-lived sites pass 2^31.
using EventId = std::int64_t;
using EntityId = std::int64_t;

/// An instant in UTC. The site speaks in whole seconds.
using UtcTime = std::chrono::system_clock::time_point;

/// A link to an entity, as fields hold it: `{"type": "Shot", "id": 862, "name": "sh010"}`.
///
/// A null link (the field is empty, or its target is retired) has an empty `type` and the id 0,
/// so a callback may read the members without asking first. Ids count within a type: a Shot and a
/// Task may both be 862, and no two Shots of a site are, whatever their projects.
struct EntityRef {
    std::string type;
    EntityId id = 0;
    std::string name;  ///< the display name; empty where the site sent none

    explicit operator bool() const noexcept { return !type.empty(); }
    friend bool operator==(const EntityRef& a, const EntityRef& b) noexcept {
        return a.id == b.id && a.type == b.type;  // the name is decoration
    }

    /// Reads a link leniently: anything that is not an object with a type and an id is the null link.
    static EntityRef from_json(const nlohmann::json& value) {
        EntityRef ref;
        if (!value.is_object()) return ref;
        const auto type = value.find("type"), id = value.find("id"), name = value.find("name");
        if (type == value.end() || !type->is_string() || id == value.end() || !id->is_number_integer())
            return ref;
        ref.type = type->get<std::string>();
        ref.id = id->get<EntityId>();
        if (name != value.end() && name->is_string()) ref.name = name->get<std::string>();
        return ref;
    }
};

/// What a link looks like on its way to the site: only `type` and `id` count there.
inline void to_json(nlohmann::json& out, const EntityRef& ref) {
    if (ref)
        out = nlohmann::json{{"type", ref.type}, {"id", ref.id}};
    else
        out = nullptr;
}
inline void from_json(const nlohmann::json& in, EntityRef& ref) { ref = EntityRef::from_json(in); }

}  // namespace sg
