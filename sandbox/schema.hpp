#pragma once
// What kinds of entities the sandbox knows, and their fields: data, not code.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sg::sandbox {

enum class DataType {
    text,
    number,
    floating,
    percent,
    duration,
    checkbox,
    date,
    date_time,
    list,
    status_list,
    entity,
    multi_entity,
    entity_type,
    uuid,
    color,
    image,
    url,
    serializable
};

/// The site's own word for a data type, as in `field_data_type`.
std::string_view name_of(DataType type) noexcept;

enum class Access { editable, create_only, read_only };

struct FieldDef {
    std::string name;
    DataType type = DataType::text;
    Access access = Access::editable;
    std::vector<std::string> targets;    ///< of a link: the types it may point to; empty means any
    std::vector<std::string> values;     ///< of a list or status list: what it may hold
    nlohmann::json otherwise = nullptr;  ///< what a create stores where the field is not named
    std::string back_reference;  ///< of a link: the field of the target that lists the rows pointing to it
    bool unique = false;
};

struct EntityDef {
    std::string type;
    std::string display;  ///< the field whose value is the display name
    bool in_project = false;
    std::vector<FieldDef> fields;

    const FieldDef* field(std::string_view name) const noexcept;
};

/// Every type, in the order of the table in schema.cpp. Made once, never changed.
const std::vector<EntityDef>& schema();
const EntityDef* find_entity(std::string_view type) noexcept;

}  // namespace sg::sandbox
