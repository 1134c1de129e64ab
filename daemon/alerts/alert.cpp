#include "alerts/alert.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sg::alerts {
namespace {

std::string_view word_of(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return "ERROR";
        case LogLevel::warning:
            return "WARNING";
        default:
            return "INFO";
    }
}

std::string time_text(UtcTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

const Alert& worst_of(const Message& message) {
    return *std::max_element(message.alerts.begin(), message.alerts.end(),
                             [](const Alert& a, const Alert& b) { return a.level < b.level; });
}

}  // namespace

std::string kind_of(const Alert& alert) {
    auto kind = alert.code.empty() ? alert.logger : "[" + alert.code + "]";
    if (!alert.plugin.empty() && !(alert.code.empty() && kind == "plugin." + alert.plugin))
        kind += " of " + alert.plugin;
    return kind;
}

std::string summary(const Message& message, const Origin& origin) {
    const auto& worst = worst_of(message);
    auto text = fmt::format("{}: sgeventd on {}: {}", word_of(worst.level), origin.host, kind_of(worst));
    if (message.count() > 1) text += fmt::format(", and {} more", message.count() - 1);
    return text;
}

std::string body_text(const Message& message, const Origin& origin) {
    auto out = fmt::format("sgeventd {} on {} for {}\n", origin.version, origin.host, origin.site);
    for (const auto& alert : message.alerts)
        out += fmt::format("\n{} {} {}\n{}\n", time_text(alert.when), word_of(alert.level), alert.logger,
                           alert.text);
    if (message.held == 0) return out;
    out += fmt::format("\n{} more {} held back, and {} in the log:\n", message.held,
                       message.held == 1 ? "was" : "were", message.held == 1 ? "stands" : "stand");
    for (const auto& [kind, count] : message.held_back) out += fmt::format("  {} {}\n", count, kind);
    return out;
}

nlohmann::json to_json(const Message& message, const Origin& origin) {
    nlohmann::json out{{"text", summary(message, origin)},
                       {"host", origin.host},
                       {"site", origin.site},
                       {"version", origin.version},
                       {"held_back", message.held},
                       {"held_back_by_kind", message.held_back},
                       {"alerts", nlohmann::json::array()}};
    for (const auto& alert : message.alerts)
        out["alerts"].push_back({{"time", time_text(alert.when)},
                                 {"level", std::string(word_of(alert.level))},
                                 {"logger", alert.logger},
                                 {"plugin", alert.plugin},
                                 {"code", alert.code},
                                 {"text", alert.text}});
    return out;
}

}  // namespace sg::alerts
