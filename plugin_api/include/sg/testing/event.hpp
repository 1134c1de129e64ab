#pragma once
// Events made of JSON rows.

#include <chrono>
#include <ctime>
#include <iomanip>
#include <locale>
#include <nlohmann/json.hpp>
#include <sg/event.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sg::testing {

/// An event as a callback meets it, read from a row as the site sends it. Any field may be missing.
class EventFromJson final : public Event {
public:
    /// Throws `std::invalid_argument` if `row` is not an object.
    explicit EventFromJson(nlohmann::json row)
        : row_(std::move(row)),
          raw_(row_.dump()),
          type_(text("event_type")),
          attribute_(text("attribute_name")),
          created_at_(time(text("created_at"))) {
        if (!row_.is_object()) throw std::invalid_argument("an event is a JSON object");
    }
    EventFromJson(const EventFromJson&) = delete;
    EventFromJson& operator=(const EventFromJson&) = delete;

    EventId id() const noexcept override {
        const auto& id = field("id");
        return id.is_number_integer() ? id.get<EventId>() : 0;
    }
    std::string_view type() const noexcept override { return type_; }
    std::string_view attribute() const noexcept override { return attribute_; }
    EntityId project_id() const noexcept override { return EntityRef::from_json(field("project")).id; }
    UtcTime created_at() const noexcept override { return created_at_; }
    std::string_view raw() const noexcept override { return raw_; }
    const nlohmann::json& json() const override { return row_; }

private:
    std::string text(const char* name) const {
        const auto& value = field(name);
        return value.is_string() ? value.get<std::string>() : std::string();
    }

    static UtcTime time(const std::string& text) {
        std::istringstream in(text);
        in.imbue(std::locale::classic());
        std::tm tm{};
        if (text.empty() || !(in >> std::get_time(&tm, "%Y-%m-%dT%H:%M:%S"))) return {};
        return std::chrono::system_clock::from_time_t(::timegm(&tm));
    }

    nlohmann::json row_;
    std::string raw_, type_, attribute_;
    UtcTime created_at_;
};

/// The row that the site writes when a field changes. Its id is 0: give it one where that matters.
inline nlohmann::json change(const EntityRef& entity, const std::string& attribute,
                             const nlohmann::json& old_value, const nlohmann::json& new_value) {
    return {{"type", "EventLogEntry"},
            {"id", 0},
            {"event_type", "Shotgun_" + entity.type + "_Change"},
            {"attribute_name", attribute},
            {"entity", {{"type", entity.type}, {"id", entity.id}, {"name", entity.name}}},
            {"project", nullptr},
            {"user", {{"type", "HumanUser"}, {"id", 42}, {"name", "Ravi"}}},
            {"session_uuid", nullptr},
            {"created_at", "2026-03-04T05:06:07Z"},
            {"meta",
             {{"type", "attribute_change"},
              {"attribute_name", attribute},
              {"entity_type", entity.type},
              {"entity_id", entity.id},
              {"old_value", old_value},
              {"new_value", new_value}}}};
}

/// The row of an entity's `New`, `Retirement` or `Revival`. After a retirement the site shows no
/// entity in any row about it, old ones included; here that is so for the retirement itself.
inline nlohmann::json life_cycle(const EntityRef& entity, const std::string& action) {
    auto row = change(entity, "", nullptr, nullptr);
    row["event_type"] = "Shotgun_" + entity.type + "_" + action;
    row["attribute_name"] = nullptr;
    if (action == "Retirement") row["entity"] = nullptr;
    const char* kind = action == "New"          ? "new_entity"
                       : action == "Retirement" ? "entity_retirement"
                                                : "entity_revival";
    row["meta"] = {{"type", kind}, {"entity_type", entity.type}, {"entity_id", entity.id}};
    return row;
}

}  // namespace sg::testing
