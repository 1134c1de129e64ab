#pragma once
// Which events a callback wants.

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sg/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg {

/// Event types, and for each the attributes (field names) that count.
///
/// A filter without entries matches every event. Otherwise an event matches when the entry of
/// its type or the entry `*` lets its attribute through. An entry that holds no list, or holds
/// `*`, lets every event of the type through, also one without an attribute; an entry with names
/// lets those attributes through; an empty list lets none. Names compare exactly.
///
///     EventFilter{}                                                    every event
///     EventFilter{}.on("Shotgun_Shot_New")                             new shots
///     EventFilter{}.on("Shotgun_Task_Change", {"sg_status_list"})      one field of tasks
///     EventFilter::from_json({{"*", {"code"}}, {"Shotgun_Shot_New", nullptr}})
///
/// Threads: a value; as safe as any.
class EventFilter {
public:
    /// Adds a type with all its events. Throws `Error(invalid)` for an empty type.
    EventFilter& on(std::string type) {
        entry_of(std::move(type)).everything = true;
        return *this;
    }

    /// Adds a type with those attributes; more than one call adds up. Events without an attribute
    /// (`_New`, `_Retirement`, `_Revival`) never match this: add their type alone. Throws
    /// `Error(invalid)` for an empty name.
    EventFilter& on(std::string type, std::vector<std::string> attributes) {
        Entry& entry = entry_of(std::move(type));
        for (auto& name : attributes) {
            if (name.empty()) throw Error(Cause::invalid, "an attribute to filter by has no name");
            if (name == "*") entry.everything = true;
            entry.attributes.push_back(std::move(name));
        }
        return *this;
    }

    /// Reads the form that scripts of the old daemon use: `null`, or an object from type to
    /// `null`, a name, or a list of names. Throws `Error(invalid)` for anything else. Unlike there, a
    /// name alone is compared whole, and `*` adds to the other entries instead of hiding them.
    static EventFilter from_json(const nlohmann::json& value) {
        EventFilter filter;
        if (value.is_null()) return filter;
        if (!value.is_object())
            throw Error(Cause::invalid, "a filter is an object from event type to attributes");
        for (const auto& [type, attributes] : value.items()) {
            if (attributes.is_null()) {
                filter.on(type);
            } else if (attributes.is_string()) {
                filter.on(type, {attributes.get<std::string>()});
            } else if (attributes.is_array()) {
                std::vector<std::string> names;
                for (const auto& name : attributes) {
                    if (!name.is_string())
                        throw Error(Cause::invalid, "attributes of '" + type + "' must be names");
                    names.push_back(name.get<std::string>());
                }
                filter.on(type, std::move(names));
            } else {
                throw Error(Cause::invalid, "attributes of '" + type + "' must be null, a name or a list");
            }
        }
        return filter;
    }

    nlohmann::json to_json() const {
        if (entries_.empty()) return nullptr;
        nlohmann::json out = nlohmann::json::object();
        for (const auto& [type, entry] : entries_) {
            out[type] = entry.everything ? nlohmann::json() : nlohmann::json(entry.attributes);
        }
        return out;
    }

    bool matches(std::string_view type, std::string_view attribute) const {
        if (entries_.empty()) return true;
        if (const auto any = entries_.find(std::string_view("*"));
            any != entries_.end() && any->second.lets(attribute))
            return true;
        const auto own = entries_.find(type);
        return own != entries_.end() && own->second.lets(attribute);
    }

    struct Entry {
        bool everything = false;              ///< the whole type, whatever the attribute
        std::vector<std::string> attributes;  ///< else only these

        bool lets(std::string_view attribute) const {
            if (everything) return true;
            if (attribute.empty()) return false;
            for (const auto& name : attributes)
                if (name == attribute) return true;
            return false;
        }
    };

    /// By event type; `*` stands for every type. Empty: every event matches.
    const std::map<std::string, Entry, std::less<>>& entries() const noexcept { return entries_; }

private:
    Entry& entry_of(std::string type) {
        if (type.empty()) throw Error(Cause::invalid, "a filter names an event type, or * for every type");
        return entries_[std::move(type)];
    }

    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace sg
