#pragma once
// Events made of nothing, for tests of what carries them.

#include <fmt/format.h>

#include "event/event_page.hpp"

namespace sg::test {

inline event::EventHandle make_event(EventId id, const std::string& type = "Shotgun_Shot_New",
                                     const std::string& attribute = "", std::size_t padding = 0,
                                     EntityId project = 7) {
    const auto raw =
        fmt::format(R"({{"id":{},"event_type":"{}","attribute_name":"{}","meta":{{"n":{}}},"pad":"{}"}})", id,
                    type, attribute, id * 10, std::string(padding, 'x'));
    event::EventRow row;
    row.id = id;
    row.type = type;
    row.attribute = attribute;
    row.project = project;
    row.created_at = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000));
    row.raw = raw;
    return event::detach(row);
}

}  // namespace sg::test
