// The effective configuration, along the table of keys.

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "config/keys.hpp"
#include "config/load.hpp"

namespace sg::config {
namespace {

using Tree = nlohmann::ordered_json;  // sections in the order of the table

void put(Tree& at, std::string_view path, Tree value, const std::string& chosen) {
    const auto dot = path.find('.');
    const auto part = path.substr(0, dot);
    auto& child = at[part == "*" ? chosen : std::string(part)];
    if (dot == std::string_view::npos)
        child = std::move(value);
    else
        put(child, path.substr(dot + 1), std::move(value), chosen);
}

Tree value_of(const Slot& slot) {
    if (const auto* list = std::get_if<std::vector<std::filesystem::path>*>(&slot)) {
        Tree out = Tree::array();
        for (const auto& path : **list) out.push_back(path.string());
        return out.empty() ? Tree("") : out;
    }
    if (const auto* texts = std::get_if<std::vector<std::string>*>(&slot))
        return (*texts)->empty() ? Tree("") : Tree(**texts);
    if (const auto* arguments = std::get_if<Arguments*>(&slot)) return Tree::parse((*arguments)->shown);
    if (const auto* traits = std::get_if<EventTraits*>(&slot); traits != nullptr && !(*traits)->empty())
        return Tree::parse((*traits)->to_json().dump());
    return to_text(slot);
}

/// An empty text stands for "not set".
bool is_unset(const Tree& value) { return value == ""; }

enum class Text { plain, quoted };  // a plain 5 would be a number where the type is not known beforehand

bool is_free(const std::string& key) { return key == "args" || key == "only" || key == "never"; }

void write(YAML::Emitter& out, const Tree& value, Text text) {
    if (value.is_object()) {
        out << YAML::BeginMap;
        for (const auto& [key, child] : value.items()) {
            out << YAML::Key << key << YAML::Value;
            write(out, child, is_free(key) ? Text::quoted : text);
        }
        out << YAML::EndMap;
    } else if (value.is_array()) {
        out << YAML::BeginSeq;
        for (const auto& child : value) write(out, child, text);
        out << YAML::EndSeq;
    } else if (value.is_string()) {
        if (text == Text::quoted) out << YAML::DoubleQuoted;
        out << value.get<std::string>();
    } else {
        out << value.dump();
    }
}

}  // namespace

std::string show(const Config& config) {
    Config copy = config;  // slots point into something that may be changed
    Tree root = Tree::object();
    for (const auto& key : keys()) {
        const bool chosen = key.name.find('*') != std::string::npos;
        for (const auto& name : chosen ? chosen_names(copy, key.name) : std::vector<std::string>{""}) {
            auto value = value_of(key.slot(copy, name));
            if (!is_unset(value)) put(root, key.name, std::move(value), name);
        }
    }
    YAML::Emitter out;
    write(out, root, Text::plain);
    return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace sg::config
