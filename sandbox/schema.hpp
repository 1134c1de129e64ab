#pragma once
// What kinds of entities a site knows, and their fields: data, not code.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
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
    timecode,
    currency,
    checkbox,
    date,
    date_time,
    list,
    status_list,
    entity,
    multi_entity,
    addressing,
    tag_list,
    entity_type,
    uuid,
    color,
    footage,
    image,
    url,
    password,
    serializable,
    jsonb,
    summary,
    calculated,
    query,
    pivot_column,
    system_task_type
};

/// The site's own word for a data type, as in `field_data_type`.
std::string_view name_of(DataType type) noexcept;
/// Every data type, in the order above.
const std::vector<DataType>& data_types();
/// False if there is no such word.
bool parse_data_type(std::string_view name, DataType& out) noexcept;

/// True for the types whose value is an array of links.
constexpr bool holds_links(DataType type) noexcept {
    return type == DataType::multi_entity || type == DataType::addressing;
}
/// True for the types whose value is an array and never null.
constexpr bool holds_array(DataType type) noexcept { return holds_links(type) || type == DataType::tag_list; }

constexpr bool holds_number(DataType type) noexcept {
    using enum DataType;
    return type == number || type == floating || type == percent || type == duration || type == timecode ||
           type == currency;
}

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
    std::string label;  ///< the display name
    std::string description;
    std::string custom_metadata;
    std::string summary_default = "none";
    bool retired = false;                   ///< deleted: nobody sees it, but its name stays taken
    std::set<std::int64_t> hidden_in{};     ///< projects in which the field is not visible
    std::vector<std::string> hidden_codes;  ///< of a status list: codes not offered in the interface

    /// Made by people of the site, who may rename and delete it.
    bool is_custom() const noexcept { return name.starts_with("sg_") && name != "sg_status_list"; }
};

struct EntityDef {
    std::string type;
    std::string display;  ///< the field whose value is the display name
    std::string label;    ///< what people call the type
    bool in_project = false;
    std::vector<FieldDef> fields;  ///< retired ones included; pointers into it last until one is added

    /// nullptr if there is none, or none any more.
    const FieldDef* field(std::string_view name) const noexcept;
    /// The same, and retired ones too.
    FieldDef* field_even_retired(std::string_view name) noexcept;
};

/// The types of one site. Each site has a copy, since schema editing changes it.
///
/// Threads:  none of its own; the site's lock guards it.
/// Lifetime: the address of a type stays the same as long as the schema lives.
class Schema {
public:
    using Types = std::map<std::string, EntityDef, std::less<>>;

    /// What schema.yaml says; read once per process.
    static const Schema& built_in();
    /// Reads the form that schema.yaml explains. Throws std::runtime_error, which names what is wrong and
    /// where.
    static Schema parse(const std::string& yaml);

    const EntityDef* find(std::string_view type) const noexcept;
    EntityDef* find(std::string_view type) noexcept;
    const Types& types() const noexcept { return types_; }
    /// The label of a status code; the code itself where none is known.
    const std::string& status_label(const std::string& code) const;

private:
    Types types_;
    std::map<std::string, std::string> statuses_;
};

/// A display name made out of a field's name: `sg_cut_in` is "Cut In".
std::string label_for(std::string_view field_name);

}  // namespace sg::sandbox
