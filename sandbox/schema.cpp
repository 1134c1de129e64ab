#include "sandbox/schema.hpp"

#include <algorithm>
#include <array>

namespace sg::sandbox {
namespace {

constexpr std::array<std::string_view, 30> names{
    "text",     "number",       "float",      "percent",   "duration",     "timecode",
    "currency", "checkbox",     "date",       "date_time", "list",         "status_list",
    "entity",   "multi_entity", "addressing", "tag_list",  "entity_type",  "uuid",
    "color",    "footage",      "image",      "url",       "password",     "serializable",
    "jsonb",    "summary",      "calculated", "query",     "pivot_column", "system_task_type"};
static_assert(names.back() == "system_task_type");

}  // namespace

std::string_view name_of(DataType type) noexcept { return names.at(static_cast<std::size_t>(type)); }

const std::vector<DataType>& data_types() {
    static const auto all = [] {
        std::vector<DataType> out;
        for (std::size_t i = 0; i < names.size(); ++i) out.push_back(static_cast<DataType>(i));
        return out;
    }();
    return all;
}

bool parse_data_type(std::string_view name, DataType& out) noexcept {
    const auto* found = std::ranges::find(names, name);
    if (found == names.end()) return false;
    out = static_cast<DataType>(found - names.begin());
    return true;
}

const FieldDef* EntityDef::field(std::string_view name) const noexcept {
    const auto found = std::ranges::find(fields, name, &FieldDef::name);
    return found == fields.end() || found->retired ? nullptr : &*found;
}

FieldDef* EntityDef::field_even_retired(std::string_view name) noexcept {
    const auto found = std::ranges::find(fields, name, &FieldDef::name);
    return found == fields.end() ? nullptr : &*found;
}

const EntityDef* Schema::find(std::string_view type) const noexcept {
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : &found->second;
}
EntityDef* Schema::find(std::string_view type) noexcept {
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : &found->second;
}

const std::string& Schema::status_label(const std::string& code) const {
    const auto found = statuses_.find(code);
    return found == statuses_.end() ? code : found->second;
}

std::string label_for(std::string_view field_name) {
    if (field_name.starts_with("sg_")) field_name.remove_prefix(3);
    std::string out(field_name);
    bool begins = true;
    for (auto& c : out) {
        if (c == '_') c = ' ';
        if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        begins = c == ' ';
    }
    return out;
}

}  // namespace sg::sandbox
