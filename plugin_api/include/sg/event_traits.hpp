#pragma once
// What an event may have about it besides its type and attribute: what a registration asks for, or refuses.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/error.hpp>
#include <sg/types.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sg {

/// Name the members you need; each has a say of its own, and one that is left out has none:
///
///     .only = {.projects = {65, 70}, .new_values = {"rev", "fin"}},
///     .never = {.users = {{"HumanUser", 7, ""}}, .own = true},
///
/// A member holds of an event that has any of its values. As `only`, every member given must hold; as
/// `never`, none may. Events are looked at after they were fetched, so what is refused is no missing event.
/// All but `projects` is read from the event's JSON by the daemon, for events whose type and attribute match.
///
/// The struct never leaves the plugin: it crosses as JSON, and may grow.
struct EventTraits {
    std::vector<EntityId> projects = {};  ///< ids; 0 stands for events of no project
    std::vector<std::string> entity_types =
        {};                                 ///< of what the event is about, also where it is retired since
    std::vector<EntityRef> entities = {};   ///< the same, by type and id
    std::vector<EntityRef> users = {};      ///< who caused it: a HumanUser or an ApiUser, by type and id
    std::vector<std::string> scripts = {};  ///< who caused it: the script (ApiUser) of this name
    std::vector<nlohmann::json> old_values = {};  ///< of the field that changed; links compare by type and id
    std::vector<nlohmann::json> new_values = {};
    std::optional<bool> in_create = {};  ///< the change was part of creating the entity
    std::optional<bool> transient = {};  ///< a placeholder, such as that of a thumbnail that is being made
    /// Caused by the script whose credential the callback has; for callbacks that see their own changes
    /// again. With the credential of a person it fails the registration: nobody could tell.
    std::optional<bool> own = {};

    bool empty() const { return to_json().empty(); }

    /// An object with the members that are given.
    nlohmann::json to_json() const {
        nlohmann::json out = nlohmann::json::object();
        const auto list = [&out](const char* name, const auto& values) {
            if (!values.empty()) out[name] = values;
        };
        const auto links = [&out](const char* name, const std::vector<EntityRef>& values) {
            for (const auto& link : values) out[name].push_back({{"type", link.type}, {"id", link.id}});
        };
        const auto flag = [&out](const char* name, const std::optional<bool>& value) {
            if (value) out[name] = *value;
        };
        list("projects", projects);
        list("entity_types", entity_types);
        links("entities", entities);
        links("users", users);
        list("scripts", scripts);
        list("old_values", old_values);
        list("new_values", new_values);
        flag("in_create", in_create);
        flag("transient", transient);
        flag("own", own);
        return out;
    }

    /// Reads that, or null for none. Throws `Error(invalid)`, naming the member, for anything else, and
    /// `Error(not_supported)` for a member that is not known here.
    static EventTraits from_json(const nlohmann::json& value) {
        EventTraits out;
        if (value.is_null()) return out;
        if (!value.is_object())
            throw Error(Cause::invalid, "expected an object, such as {\"projects\": [65]}");
        for (const auto& [name, part] : value.items()) out.read(name, part);
        return out;
    }

private:
    void read(const std::string& name, const nlohmann::json& part) {
        if (name == "projects")
            projects = list<EntityId>(name, part, "ids", [](const auto& v) { return v.is_number_integer(); });
        else if (name == "entity_types")
            entity_types =
                list<std::string>(name, part, "names", [](const auto& v) { return v.is_string(); });
        else if (name == "entities")
            entities = list<EntityRef>(name, part, "a type and an id each", is_link);
        else if (name == "users")
            users = list<EntityRef>(name, part, "a type and an id each", is_link);
        else if (name == "scripts")
            scripts = list<std::string>(name, part, "names", [](const auto& v) { return v.is_string(); });
        else if (name == "old_values")
            old_values = list<nlohmann::json>(name, part, "values", [](const auto&) { return true; });
        else if (name == "new_values")
            new_values = list<nlohmann::json>(name, part, "values", [](const auto&) { return true; });
        else if (name == "in_create")
            in_create = flag(name, part);
        else if (name == "transient")
            transient = flag(name, part);
        else if (name == "own")
            own = flag(name, part);
        else
            throw Error(Cause::not_supported, "an event cannot be chosen by '" + name + "'");
    }
    static bool is_link(const nlohmann::json& value) {
        return static_cast<bool>(EntityRef::from_json(value));
    }
    static bool flag(const std::string& name, const nlohmann::json& part) {
        if (!part.is_boolean()) throw Error(Cause::invalid, "'" + name + "' is true or false");
        return part.get<bool>();
    }
    template <class T, class Test>
    static std::vector<T> list(const std::string& name, const nlohmann::json& part, const char* of,
                               Test fits) {
        if (!part.is_array() || part.empty())
            throw Error(Cause::invalid, "'" + name + "' is a list of " + of + ", and not an empty one");
        std::vector<T> out;
        for (const auto& value : part) {
            if (!fits(value)) throw Error(Cause::invalid, "'" + name + "' is a list of " + of);
            out.push_back(value.template get<T>());
        }
        return out;
    }
};

}  // namespace sg
