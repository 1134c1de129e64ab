// Reading a schema file.

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <algorithm>
#include <stdexcept>

#include "sandbox/schema.hpp"

namespace sg::sandbox {

/// The text of schema.yaml, made a source file by CMake.
extern const char* const schema_text;

namespace {

using Names = std::vector<std::string>;

[[noreturn]] void wrong(const YAML::Node& at, const std::string& what) {
    throw std::runtime_error(fmt::format("schema, line {}: {}", at.Mark().line + 1, what));
}

Names names_in(const YAML::Node& node) {
    if (node.IsScalar() && node.as<std::string>() == "people")
        return {"HumanUser", "ApiUser", "ClientUser", "Group"};
    if (!node.IsSequence()) wrong(node, "a list of names is expected");
    return node.as<Names>();
}

nlohmann::json default_of(const FieldDef& field, const YAML::Node& node) {
    using enum DataType;
    if (field.type == checkbox) return node.as<bool>();
    if (field.type == number || field.type == duration || field.type == percent || field.type == timecode)
        return node.as<std::int64_t>();
    if (field.type == floating || field.type == currency) return node.as<double>();
    return node.as<std::string>();
}

Access access_of(const YAML::Node& node) {
    const auto word = node.as<std::string>();
    if (word == "edit") return Access::editable;
    if (word == "create") return Access::create_only;
    if (word == "read") return Access::read_only;
    wrong(node, "access is edit, create or read, not " + word);
}

FieldDef field_of(const std::string& name, const YAML::Node& node) {
    FieldDef field;
    field.name = name;
    field.label = label_for(name);
    const auto type = node.IsMap() ? node["type"] : node;
    if (!type || !type.IsScalar()) wrong(node, name + " has no data type");
    if (!parse_data_type(type.as<std::string>(), field.type))
        wrong(type, fmt::format("{}: there is no data type {}", name, type.as<std::string>()));
    if (!node.IsMap()) return field;
    for (const auto& member : node) {
        const auto key = member.first.as<std::string>();
        const auto& value = member.second;
        if (key == "type") continue;
        if (key == "to")
            field.targets = names_in(value);
        else if (key == "back")
            field.back_reference = value.as<std::string>();
        else if (key == "values")
            field.values = names_in(value);
        else if (key == "default")
            field.otherwise = default_of(field, value);
        else if (key == "unique")
            field.unique = value.as<bool>();
        else if (key == "access")
            field.access = access_of(value);
        else if (key == "label")
            field.label = value.as<std::string>();
        else
            wrong(member.first, fmt::format("{}: there is no key {}", name, key));
    }
    return field;
}

FieldDef common(std::string name, DataType type, Access access, Names targets = {}) {
    FieldDef field;
    field.label = label_for(name);
    field.name = std::move(name);
    field.type = type;
    field.access = access;
    field.targets = std::move(targets);
    return field;
}

EntityDef entity_of(const std::string& type, const YAML::Node& node) {
    using enum DataType;
    static const Names people{"HumanUser", "ApiUser"};
    EntityDef def;
    def.type = def.label = type;
    def.fields.push_back(common("id", number, Access::read_only));
    for (const auto& member : node) {
        const auto key = member.first.as<std::string>();
        if (key == "display")
            def.display = member.second.as<std::string>();
        else if (key == "project")
            def.in_project = member.second.as<bool>();
        else if (key == "label")
            def.label = member.second.as<std::string>();
        else if (key == "fields")
            for (const auto& field : member.second)
                def.fields.push_back(field_of(field.first.as<std::string>(), field.second));
        else
            wrong(member.first, fmt::format("{}: there is no key {}", type, key));
    }
    def.fields.push_back(common("created_at", date_time, Access::create_only));
    def.fields.push_back(common("cached_display_name", text, Access::read_only));
    if (type != "EventLogEntry") {
        def.fields.push_back(common("created_by", entity, Access::create_only, people));
        def.fields.push_back(common("updated_at", date_time, Access::read_only));
        def.fields.push_back(common("updated_by", entity, Access::read_only, people));
        if (def.in_project) def.fields.push_back(common("project", entity, Access::editable, {"Project"}));
    }
    if (def.field(def.display) == nullptr) wrong(node, type + " has no field to display");
    return def;
}

}  // namespace

Schema Schema::parse(const std::string& yaml) {
    Schema schema;
    try {
        const auto root = YAML::Load(yaml);
        for (const auto& status : root["statuses"])
            schema.statuses_[status.first.as<std::string>()] = status.second.as<std::string>();
        for (const auto& entity : root["entities"]) {
            const auto type = entity.first.as<std::string>();
            if (!schema.types_.emplace(type, entity_of(type, entity.second)).second)
                wrong(entity.first, type + " stands twice");
        }
    } catch (const YAML::Exception& why) {
        throw std::runtime_error(fmt::format("schema, line {}: {}", why.mark.line + 1, why.msg));
    }
    for (const auto* needed : {"Project", "HumanUser", "ApiUser", "EventLogEntry", "DisplayColumn"})
        if (!schema.types_.contains(needed))
            throw std::runtime_error(fmt::format("schema: there is no type {}", needed));
    for (const auto& [type, def] : schema.types_)
        for (const auto& field : def.fields)
            for (const auto& target : field.targets)
                if (!schema.types_.contains(target))
                    throw std::runtime_error(fmt::format("schema: {}.{} points to {}, which is no type", type,
                                                         field.name, target));
    return schema;
}

const Schema& Schema::built_in() {
    static const Schema schema = parse(schema_text);
    return schema;
}

}  // namespace sg::sandbox
