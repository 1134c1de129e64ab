#include "event/conditions.hpp"

#include <algorithm>

namespace sg::event {
namespace {

/// The site shows a script under its name and, where it has one, its version: `event_relay 1.0`.
bool is_script(const EntityRef& user, std::string_view script) {
    if (user.type != "ApiUser" || script.empty() || !user.name.starts_with(script)) return false;
    const auto rest = std::string_view(user.name).substr(script.size());
    return rest.empty() || (rest[0] == ' ' && rest.find(' ', 1) == std::string_view::npos);
}

bool are_equal(const nlohmann::json& has, const nlohmann::json& wanted) {
    const auto link = EntityRef::from_json(wanted);
    return link ? EntityRef::from_json(has) == link : has == wanted;
}

template <class List, class Value>
bool contains(const List& list, const Value& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

EntityRef subject(const Event& event) {
    auto entity = event.entity();
    return entity ? entity : event.meta_entity();
}

bool is_transient(const Event& event) {
    const auto& meta = event.meta();
    if (!meta.is_object()) return false;
    const auto flag = meta.find("is_transient");
    return flag != meta.end() && flag->is_boolean() && flag->get<bool>();
}

/// Calls `ask(name, whether the event has it)` for each trait that is given, until that returns true. What
/// needs no JSON comes first.
template <class Ask>
bool each(const EventTraits& traits, const Event& event, const std::string& own_script, Ask ask) {
    const auto one = [&](bool given, const char* name, auto has) { return given && ask(name, has()); };
    const auto any_value = [](const auto& wanted, const nlohmann::json& has) {
        return std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return are_equal(has, w); });
    };
    const auto& t = traits;
    return one(!t.projects.empty(), "projects", [&] { return contains(t.projects, event.project_id()); }) ||
           one(!t.entity_types.empty(), "entity_types",
               [&] { return contains(t.entity_types, subject(event).type); }) ||
           one(!t.entities.empty(), "entities", [&] { return contains(t.entities, subject(event)); }) ||
           one(!t.users.empty(), "users", [&] { return contains(t.users, event.user()); }) ||
           one(!t.scripts.empty(), "scripts",
               [&] {
                   return std::any_of(
                       t.scripts.begin(), t.scripts.end(),
                       [user = event.user()](const auto& name) { return is_script(user, name); });
               }) ||
           one(!t.old_values.empty(), "old_values",
               [&] { return any_value(t.old_values, event.old_value()); }) ||
           one(!t.new_values.empty(), "new_values",
               [&] { return any_value(t.new_values, event.new_value()); }) ||
           one(t.in_create.has_value(), "in_create", [&] { return event.in_create() == *t.in_create; }) ||
           one(t.transient.has_value(), "transient", [&] { return is_transient(event) == *t.transient; }) ||
           one(t.own.has_value(), "own", [&] { return is_script(event.user(), own_script) == *t.own; });
}

}  // namespace

void Conditions::add(EventTraits only, EventTraits never) {
    if (!only.empty()) only_.push_back(std::move(only));
    if (!never.empty()) never_.push_back(std::move(never));
}

bool Conditions::ask_who_is_own() const noexcept {
    const auto asks = [](const EventTraits& traits) { return traits.own.has_value(); };
    return std::any_of(only_.begin(), only_.end(), asks) || std::any_of(never_.begin(), never_.end(), asks);
}

std::optional<Conditions::Failing> Conditions::failing(const Event& event) const {
    std::optional<Failing> out;
    const auto look = [&](const std::vector<EventTraits>& list, bool is_wanted) {
        for (const auto& traits : list) {
            each(traits, event, own_script_, [&](const char* name, bool has) {
                if (has == is_wanted) return false;
                out = Failing{name, is_wanted};
                return true;
            });
            if (out) return;
        }
    };
    look(only_, true);
    if (!out) look(never_, false);
    return out;
}

std::string Conditions::why_not(const Event& event) const {
    const auto failing = this->failing(event);
    if (!failing) return {};
    return std::string(failing->is_wanted ? "it wants only certain " : "it never wants certain ") +
           failing->trait;
}

nlohmann::json Conditions::to_json() const {
    auto out = nlohmann::json::array();
    for (const auto* list : {&only_, &never_}) {
        auto& part = out.emplace_back(nlohmann::json::array());
        for (const auto& traits : *list) part.push_back(traits.to_json());
    }
    out.push_back(own_script_);
    return out;
}

}  // namespace sg::event
