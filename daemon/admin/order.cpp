#include "admin/order.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace sg::admin {
namespace {

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty() || text[0] == '-')
        return std::nullopt;
    return value;
}

/// `2026-03-04T05:06:07Z`, or the day alone.
std::optional<UtcTime> read_time(std::string_view text) {
    std::string whole(text);
    if (whole.size() == 10) whole += "T00:00:00Z";
    if (whole.size() != 20 || whole[4] != '-' || whole[7] != '-' || whole[10] != 'T' || whole[13] != ':' ||
        whole[16] != ':' || whole[19] != 'Z')
        return std::nullopt;
    const auto part = [&](std::size_t at, std::size_t size) {
        return number(std::string_view(whole).substr(at, size));
    };
    const auto year = part(0, 4), month = part(5, 2), day = part(8, 2), hour = part(11, 2),
               minute = part(14, 2), second = part(17, 2);
    if (!year || !month || !day || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

Result<void> read_place(const std::string& text, Order& order) {
    if (text == "latest" || text == "earliest") {
        order.to = text == "latest" ? Order::To::latest : Order::To::earliest;
        return {};
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), order.event);
    if (error == std::errc() && end == text.data() + text.size() && order.event > 0) return {};
    const auto time = read_time(text);
    if (!time)
        return fail(Cause::invalid,
                    "'{}' is no place: an event's id, a time as 2026-03-04T05:06:07Z, latest or earliest",
                    text);
    order.to = Order::To::time;
    order.time = *time;
    return {};
}

}  // namespace

Result<Order> read_order(Order::Act act, const nlohmann::json& body) {
    Order order;
    order.act = act;
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
