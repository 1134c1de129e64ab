#pragma once
// What people tell the daemon to do that takes its time, and what came of it.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <sg/types.hpp>
#include <string>

#include "util/result.hpp"

namespace sg::admin {

struct Order {
    enum class Act { pause, resume, seek, skip, retry, enable, disable, poll, explain };
    /// Where `seek` goes: the first event that is this one or above it, was created then or later, comes
    /// after the newest one, or is the first of all.
    enum class To { event, time, latest, earliest };
    Act act = Act::poll;
    std::string plugin{};  ///< none: `poll`
    To to = To::event;
    EventId event = 0;  ///< of `seek` and `explain`
    UtcTime time{};
};

/// Of `POST /api/plugins/…`, as its body says it. Errors: `invalid`.
Result<Order> read_order(Order::Act act, const nlohmann::json& body);

/// An order that was taken. `answer` holds "done", a text, and what a program may want of it; or "error".
struct OrderState {
    bool is_over = false;
    nlohmann::json answer{};
};

}  // namespace sg::admin
