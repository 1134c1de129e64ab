#include "admin/order.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "util/utc_text.hpp"

namespace sg::admin {
namespace {

Result<void> read_place(const std::string& text, Order& order) {
    if (text == "latest" || text == "earliest") {
        order.to = text == "latest" ? Order::To::latest : Order::To::earliest;
        return {};
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), order.event);
    if (error == std::errc() && end == text.data() + text.size() && order.event > 0) return {};
    const auto time = read_utc_or_day(text);
    if (!time)
        return fail(Cause::invalid,
                    "'{}' is no place: an event's id, a time as 2026-03-04T05:06:07Z, latest or earliest",
                    text);
    order.to = Order::To::time;
    order.time = *time;
    return {};
}

Result<Order> read_question(const nlohmann::json& body) {
    const auto plugin = body.is_object() ? body.find("plugin") : body.end();
    const auto event = body.is_object() ? body.find("event") : body.end();
    if (plugin == body.end() || !plugin->is_string() || event == body.end() || !event->is_number_integer() ||
        body.size() != 2)
        return fail(Cause::invalid, R"(expected {{"plugin": NAME, "event": ID}})");
    Order order;
    order.act = Order::Act::explain;
    order.plugin = plugin->get<std::string>();
    order.event = event->get<EventId>();
    return order;
}

}  // namespace

Result<Order> read_order(Order::Act act, const nlohmann::json& body) {
    Order order;
    order.act = act;
    if (act == Order::Act::explain) return read_question(body);
    const bool seeks = act == Order::Act::seek;
    const auto text = [&](const char* key) {
        return body.is_object() && body.contains(key) && body.at(key).is_string();
    };
    if (!text("plugin") || text("to") != seeks || body.size() != (seeks ? 2U : 1U))
        return fail(Cause::invalid, "expected {}",
                    seeks ? R"({"plugin": NAME, "to": PLACE})" : R"({"plugin": NAME})");
    order.plugin = body.at("plugin").get<std::string>();
    if (seeks)
        if (auto read = read_place(body.at("to").get<std::string>(), order); !read)
            return tl::unexpected(read.error());
    return order;
}

}  // namespace sg::admin
