#pragma once
// A site in memory.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/error.hpp>
#include <sg/site.hpp>
#include <sg/testing/event.hpp>
#include <sg/types.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg::testing {

/// Holds rows, answers `find`, `create`, `update`, `delete`, `revive` and `batch`, and writes an event for
/// each change, so that a test can hand a plugin its own echo. Other calls are answered by `answer_with`.
///
/// It knows the relations `is`, `is_not`, `in`, `not_in`, `less_than`, `greater_than` and `contains`,
/// groups (`filter_operator`), and linked fields (`entity.Shot.code`). Anything else throws
/// `Error(not_supported)`. It has no schema: a field that no row has is null.
///
/// Threads: one at a time.
class FakeSite final : public Site {
public:
    /// A call that was made.
    struct Seen {
        std::string method;
        nlohmann::json arguments;
    };

    /// Adds an entity without an event; its display name is `code`, `content` or `name`.
    EntityRef add(const std::string& type, nlohmann::json fields = nlohmann::json::object()) {
        EntityRef ref{type, ++last_id_, {}};
        for (const char* name : {"name", "content", "code"})
            if (fields.contains(name) && fields.at(name).is_string())
                ref.name = fields.at(name).get<std::string>();
        fields["type"] = type;
        fields["id"] = ref.id;
        rows_[{type, ref.id}] = {std::move(fields), false};
        return ref;
    }

    /// All fields of an entity, retired or not; null if there is none.
    nlohmann::json row(const EntityRef& ref) const {
        const auto found = rows_.find({ref.type, ref.id});
        return found == rows_.end() ? nlohmann::json() : found->second.fields;
    }

    /// Changes a field as somebody else would, without an event or a call on record.
    void set(const EntityRef& ref, const std::string& field, nlohmann::json value) {
        row_of(ref.type, ref.id).fields[field] = std::move(value);
    }
    void retire(const EntityRef& ref) { row_of(ref.type, ref.id).retired = true; }

    /// The next call, whatever it is, throws this instead of being answered.
    void fail_next(Error error) { failure_ = std::move(error); }

    /// Asked before every call; what it returns is the answer, nullopt leaves it to the rows.
    void answer_with(
        std::function<std::optional<nlohmann::json>(std::string_view method, const nlohmann::json& arguments)>
            script) {
        script_ = std::move(script);
    }

    const std::vector<Seen>& seen() const noexcept { return seen_; }
    std::size_t count(std::string_view method) const {
        return static_cast<std::size_t>(
            std::count_if(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.method == method; }));
    }

    /// The events of the changes made through `call` since the last time, in order.
    std::vector<nlohmann::json> take_events() { return std::exchange(events_, {}); }

    nlohmann::json call(std::string_view method, const nlohmann::json& arguments) override {
        seen_.push_back({std::string(method), arguments});
        if (failure_) throw *std::exchange(failure_, std::nullopt);
        if (script_)
            if (auto answer = script_(method, arguments)) return *std::move(answer);
        if (method == "find") return find_rows(arguments);
        if (method == "create") return create_row(arguments);
        if (method == "update") return update_row(arguments);
        if (method == "delete") return delete_row(arguments);
        if (method == "revive") return revive_row(arguments);
        if (method == "batch") return do_batch(arguments);
        throw Error(Cause::not_supported, "the fake site has no '" + std::string(method) + "'");
    }

private:
    using Key = std::pair<std::string, EntityId>;
    struct Row {
        nlohmann::json fields;
        bool retired = false;
    };

    Row& row_of(const std::string& type, EntityId id) {
        const auto found = rows_.find({type, id});
        if (found == rows_.end())
            throw Error(Cause::bad_request, type + " " + std::to_string(id) + " does not exist", 104);
        return found->second;
    }

    /// `code`, or `entity.Shot.code`: the field, the type it must link to, a field over there.
    nlohmann::json value_of(const nlohmann::json& fields, const std::string& path) const {
        const auto first = path.find('.'), second = first == path.npos ? first : path.find('.', first + 1);
        const auto found = fields.find(path.substr(0, first));
        if (found == fields.end()) return nullptr;
        if (second == path.npos) return *found;
        const auto link = EntityRef::from_json(*found);
        if (link.type != path.substr(first + 1, second - first - 1)) return nullptr;
        return value_of(row(link), path.substr(second + 1));
    }

    static bool same(const nlohmann::json& a, const nlohmann::json& b) {
        const auto left = EntityRef::from_json(a), right = EntityRef::from_json(b);
        return left && right ? left == right : a == b;
    }
    static bool among(const nlohmann::json& value, const nlohmann::json& list) {
        return std::any_of(list.begin(), list.end(), [&](const auto& one) { return same(value, one); });
    }

    bool satisfies(const nlohmann::json& fields, const nlohmann::json& condition) const {
        if (condition.is_object()) {  // a group
            const auto& parts = condition.at("filters");
            const auto holds = [&](const auto& part) { return satisfies(fields, part); };
            return condition.at("filter_operator") == "any" ? std::any_of(parts.begin(), parts.end(), holds)
                                                            : std::all_of(parts.begin(), parts.end(), holds);
        }
        const auto value = value_of(fields, condition.at(0).get<std::string>());
        const auto relation = condition.at(1).get<std::string>();
        const auto& wanted = condition.at(2);
        if (relation == "is") return same(value, wanted);
        if (relation == "is_not") return !same(value, wanted);
        if (relation == "in") return among(value, wanted);
        if (relation == "not_in") return !among(value, wanted);
        if (relation == "less_than") return !value.is_null() && value < wanted;
        if (relation == "greater_than") return !value.is_null() && value > wanted;
        if (relation == "contains")
            return value.is_string() &&
                   value.get<std::string>().find(wanted.get<std::string>()) != std::string::npos;
        throw Error(Cause::not_supported, "the fake site does not know the relation '" + relation + "'");
    }

    nlohmann::json shown(const nlohmann::json& fields, const nlohmann::json& wanted) const {
        nlohmann::json out{{"type", fields.at("type")}, {"id", fields.at("id")}};
        for (const auto& name : wanted)
            out[name.get<std::string>()] = value_of(fields, name.get<std::string>());
        return out;
    }

    nlohmann::json find_rows(const nlohmann::json& wish) const {
        std::vector<const nlohmann::json*> found;
        for (const auto& [key, row] : rows_) {
            const auto& filters = wish.at("filters");
            if (key.first == wish.at("type") && row.retired == wish.at("retired_only").get<bool>() &&
                satisfies(row.fields, filters.is_object()
                                          ? filters
                                          : nlohmann::json{{"filter_operator", "all"}, {"filters", filters}}))
                found.push_back(&row.fields);
        }
        const auto& order = wish.at("order");
        for (auto by = order.rbegin(); by != order.rend(); ++by)
            std::stable_sort(found.begin(), found.end(), [&](const auto* a, const auto* b) {
                if (by->value("direction", "asc") == "desc") std::swap(a, b);
                const auto field = by->at("field_name").template get<std::string>();
                return value_of(*a, field) < value_of(*b, field);
            });
        auto out = nlohmann::json::array();
        const auto limit = wish.at("limit").get<std::size_t>();
        for (const auto* fields : found)
            if (limit == 0 || out.size() < limit) out.push_back(shown(*fields, wish.at("fields")));
        return out;
    }

    nlohmann::json create_row(const nlohmann::json& wish) {
        const auto ref = add(wish.at("type").get<std::string>(), wish.at("data"));
        events_.push_back(numbered(life_cycle(ref, "New")));
        auto out = shown(row(ref), wish.at("fields"));
        out.update(wish.at("data"));
        return out;
    }

    nlohmann::json update_row(const nlohmann::json& wish) {
        const auto type = wish.at("type").get<std::string>();
        Row& row = row_of(type, wish.at("id").get<EntityId>());
        if (row.retired) throw Error(Cause::bad_request, type + " is retired", 104);
        nlohmann::json out{{"type", type}, {"id", wish.at("id")}};
        for (const auto& [name, value] : wish.at("data").items()) {
            auto& field = row.fields[name];
            const EntityRef ref{type, wish.at("id").get<EntityId>(), row.fields.value("code", "")};
            auto next = merged(field, value, wish, name);
            if (field != next) events_.push_back(numbered(change(ref, name, field, next)));
            field = out[name] = std::move(next);
        }
        return out;
    }

    nlohmann::json delete_row(const nlohmann::json& wish) {
        const EntityRef ref{wish.at("type").get<std::string>(), wish.at("id").get<EntityId>(), {}};
        Row& row = row_of(ref.type, ref.id);
        if (std::exchange(row.retired, true)) return false;
        events_.push_back(numbered(life_cycle(ref, "Retirement")));
        return true;
    }

    nlohmann::json revive_row(const nlohmann::json& wish) {
        const EntityRef ref{wish.at("type").get<std::string>(), wish.at("id").get<EntityId>(), {}};
        Row& row = row_of(ref.type, ref.id);
        if (!std::exchange(row.retired, false)) return false;
        events_.push_back(numbered(life_cycle(ref, "Revival")));
        return true;
    }

    /// All or nothing, events included.
    nlohmann::json do_batch(const nlohmann::json& wish) {
        const auto rows = rows_;
        const auto events = events_;
        auto out = nlohmann::json::array();
        try {
            for (const auto& each : wish.at("requests")) {
                const auto what = each.at("request_type").get<std::string>();
                nlohmann::json one{{"type", each.at("entity_type")},
                                   {"id", each.value("entity_id", nlohmann::json())},
                                   {"data", each.value("data", nlohmann::json())},
                                   {"fields", each.value("return_fields", nlohmann::json::array())}};
                if (each.contains("multi_entity_update_modes"))
                    one["multi_entity_update_modes"] = each.at("multi_entity_update_modes");
                out.push_back(what == "create"   ? create_row(one)
                              : what == "update" ? update_row(one)
                                                 : delete_row(one));
            }
        } catch (...) {
            rows_ = rows;
            events_ = events;
            throw;
        }
        return out;
    }

    /// What an update makes of a field: the value, or for a list that is added to or removed from, that.
    static nlohmann::json merged(const nlohmann::json& old, const nlohmann::json& value,
                                 const nlohmann::json& wish, const std::string& name) {
        const auto modes = wish.find("multi_entity_update_modes");
        const auto mode = modes == wish.end() ? std::string("set") : modes->value(name, std::string("set"));
        if (mode == "set" || !value.is_array()) return value;
        auto out = nlohmann::json::array();
        for (const auto& each : old.is_array() ? old : nlohmann::json::array())
            if (mode == "add" || !among(each, value)) out.push_back(each);
        for (const auto& each : value)
            if (mode == "add" && !among(each, out)) out.push_back(each);
        return out;
    }

    nlohmann::json numbered(nlohmann::json event) {
        event["id"] = ++last_event_;
        return event;
    }

    std::map<Key, Row> rows_;
    EntityId last_id_ = 0;
    EventId last_event_ = 0;
    std::vector<Seen> seen_;
    std::vector<nlohmann::json> events_;
    std::optional<Error> failure_;
    std::function<std::optional<nlohmann::json>(std::string_view, const nlohmann::json&)> script_;
};

}  // namespace sg::testing
