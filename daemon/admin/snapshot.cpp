#include "admin/snapshot.hpp"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

namespace sg::admin {

std::string iso_time(UtcTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

std::string_view to_string(Health health) noexcept {
    switch (health) {
        case Health::good:
            return "good";
        case Health::busy:
            return "busy";
        case Health::bad:
            break;
    }
    return "bad";
}

namespace {

nlohmann::json to_json(const StreamView& stream) {
    return {{"state", stream.state},
            {"since", iso_time(stream.since)},
            {"in_trouble", stream.in_trouble},
            {"highest", stream.highest},
            {"open_gaps", stream.open_gaps},
            {"skew_ms", stream.skew ? nlohmann::json(stream.skew->count()) : nullptr},
            {"last_answer", stream.last_answer ? nlohmann::json(iso_time(*stream.last_answer)) : nullptr},
            {"last_error", stream.last_error},
            {"polls", stream.polls},
            {"lane_queries", stream.lane_queries},
            {"gap_queries", stream.gap_queries},
            {"answers", stream.answers},
            {"failures", stream.failures},
            {"events", stream.events},
            {"late", stream.late},
            {"gaps_closed", stream.gaps_closed},
            {"watched", stream.watched},
            {"very_late", stream.very_late}};
}

nlohmann::json to_json(const PluginView& plugin) {
    return {{"plugin", plugin.plugin},
            {"state", plugin.state},
            {"health", to_string(plugin.health)},
            {"why", plugin.why},
            {"since", iso_time(plugin.since)},
            {"file", plugin.file},
            {"build", plugin.build},
            {"isolation", plugin.isolation},
            {"generation", plugin.generation},
            {"pid", plugin.pid},
            {"callbacks", plugin.callbacks},
            {"position", plugin.position},
            {"cursor", plugin.cursor},
            {"behind", plugin.behind},
            {"lag_events", plugin.lag_events},
            {"lag_ms", plugin.lag.count()},
            {"queued", plugin.queued},
            {"outstanding", plugin.outstanding},
            {"pending", plugin.pending},
            {"succeeded", plugin.succeeded},
            {"failed", plugin.failed},
            {"skipped", plugin.skipped},
            {"dead_letters", plugin.dead_letters}};
}

nlohmann::json to_json(const AlertView& alerts) {
    return {{"channel", alerts.channel},
            {"messages", alerts.messages},
            {"sent", alerts.sent},
            {"held_back", alerts.held_back},
            {"failures", alerts.failures},
            {"lost", alerts.lost},
            {"waiting", alerts.waiting},
            {"last_error", alerts.last_error},
            {"last_sent", alerts.last_sent ? nlohmann::json(iso_time(*alerts.last_sent)) : nullptr}};
}

nlohmann::json to_json(const EventView& event) {
    auto calls = nlohmann::json::array();
    for (const auto& call : event.calls)
        calls.push_back({{"plugin", call.plugin},
                         {"callback", call.callback},
                         {"ok", call.ok},
                         {"took_ms", static_cast<double>(call.took.count()) / 1000},
                         {"calls", call.calls}});
    return {{"event", event.event},
            {"event_type", event.type},
            {"attribute", event.attribute},
            {"created", event.created ? nlohmann::json(iso_time(*event.created)) : nullptr},
            {"calls", std::move(calls)},
            {"more_calls", event.more_calls}};
}

}  // namespace

nlohmann::json to_json(const Snapshot& snapshot) {
    const auto ready = readiness(snapshot);
    nlohmann::json out{{"daemon",
                        {{"version", snapshot.daemon.version},
                         {"pid", snapshot.daemon.pid},
                         {"site", snapshot.daemon.site},
                         {"started", iso_time(snapshot.daemon.started)},
                         {"taken", iso_time(snapshot.daemon.taken)},
                         {"takes_a_token", snapshot.daemon.takes_a_token},
                         {"wrong_tokens", snapshot.daemon.wrong_tokens}}},
                       {"ready", ready.ready},
                       {"why_not_ready", ready.why},
                       {"stream", to_json(snapshot.stream)},
                       {"plugins", nlohmann::json::array()},
                       {"alerts", nlohmann::json::array()},
                       {"recent", nlohmann::json::array()}};
    for (const auto& event : snapshot.recent) out["recent"].push_back(to_json(event));
    for (const auto& plugin : snapshot.plugins) out["plugins"].push_back(to_json(plugin));
    for (const auto& channel : snapshot.alerts) out["alerts"].push_back(to_json(channel));
    if (snapshot.webhook)
        for (std::size_t i = 0; i < delivery_kinds; ++i)
            out["webhook"][std::string(to_string(static_cast<Delivery>(i)))] =
                snapshot.webhook->deliveries[i];
    return out;
}

Readiness readiness(const Snapshot& snapshot) {
    if (snapshot.stream.in_trouble || snapshot.stream.state == "waiting")
        return {false, "the site does not answer: " + snapshot.stream.state};
    for (const auto& plugin : snapshot.plugins)
        if (plugin.state != "disabled" && (plugin.generation == 0 || plugin.state == "failed to load"))
            return {false, plugin.plugin + ": " + plugin.state};
    return {true, {}};
}

}  // namespace sg::admin
