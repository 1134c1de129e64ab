#pragma once
// A row as the plugin interface shows it.

#include <mutex>
#include <sg/event.hpp>
#include <string>

#include "event/event_page.hpp"

namespace sg::event {

/// Reads the row's JSON at the first look, once, on whichever thread looks.
///
/// Lifetime: outlived by the row and its page.
class RowEvent final : public Event {
public:
    explicit RowEvent(const EventRow& row) : row_(row) {}

    EventId id() const noexcept override { return row_.id; }
    std::string_view type() const noexcept override { return row_.type; }
    std::string_view attribute() const noexcept override { return row_.attribute; }
    EntityId project_id() const noexcept override { return row_.project; }
    UtcTime created_at() const noexcept override { return row_.created_at; }
    std::string_view raw() const noexcept override { return row_.raw; }
    const nlohmann::json& json() const override;

private:
    const EventRow& row_;
    mutable std::once_flag read_;
    mutable nlohmann::json json_;
};

/// Equal for events about the same entity, whether it is still there or not; empty for those about none.
std::string entity_key(const Event& event);

}  // namespace sg::event
