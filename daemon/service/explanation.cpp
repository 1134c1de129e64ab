#include "service/explanation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "admin/snapshot.hpp"

namespace sg::service {
namespace {

using nlohmann::json;

template <class Ranges>
bool holds(const Ranges& ranges, EventId event) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const auto& one) { return one.first <= event && event <= one.last; });
}

}  // namespace

Known known_of(const std::string& plugin, EventId event, const Statuses& statuses,
               const plugins::PluginSetOptions& options, const dispatch::Dispatcher& dispatcher,
               const stream::Stream& stream) {
    Known known{plugin, event, {}, {}};
    for (const auto& view : plugin_views(statuses, options))
        if (view.plugin == plugin) std::tie(known.state, known.why) = std::tie(view.state, view.why);
    for (const auto& lane : statuses.lanes)
        if (lane.plugin == plugin)
            std::tie(known.start, known.position, known.settled) =
                std::tie(lane.start, lane.position, lane.settled);
    known.highest = statuses.stream.highest;
    known.absence = stream.absence(event);
    known.owed = dispatcher.owed(plugin, event);
    for (const auto& letter : *dispatcher.dead_letters())
        if (letter->plugin == plugin && letter->event == event) known.letters.push_back(letter);
    return known;
}

std::optional<Known> known_of(const std::string& plugin, EventId event, const checkpoint::Snapshot& state) {
    const auto progress = state.plugins.find(plugin);
    if (progress == state.plugins.end()) return std::nullopt;
    Known known{plugin, event, "no daemon runs", {}};
    known.start = progress->second.start;
    known.position = known.settled = progress->second.cursor;
    known.highest = state.highest_seen.value_or(0);
    if (holds(state.gaps, event))
        known.absence = stream::Absence::awaited;
    else if (holds(state.watched, event))
        known.absence = stream::Absence::watched;
    for (const auto& row : state.pending)
        if (row.plugin == plugin && row.event == event)
            known.owed.push_back({row.callback, row.attempts, row.due, row.last_error, false});
    for (const auto& letter : state.dead_letters)
        if (letter->plugin == plugin && letter->event == event) known.letters.push_back(letter);
    return known;
}

json to_json(const Known& known) {
    json out{
        {"plugin", known.plugin},   {"event", known.event},          {"state", known.state},
        {"why", known.why},         {"start", known.start},          {"position", known.position},
        {"settled", known.settled}, {"highest", known.highest},      {"absence", to_string(known.absence)},
        {"owed", json::array()},    {"dead_letters", json::array()}, {"calls", json::array()},
        {"calls_since", nullptr}};
    for (const auto& call : known.owed)
        out["owed"].push_back({{"callback", call.callback},
                               {"attempts", call.attempts},
                               {"due", admin::iso_time(call.due)},
                               {"error", call.last_error},
                               {"running", call.running}});
    for (const auto& letter : known.letters) out["dead_letters"].push_back(checkpoint::shown(*letter));
    for (const auto& call : known.calls)
        out["calls"].push_back({{"callback", call.callback},
                                {"ended", admin::iso_time(call.ended)},
                                {"took_us", call.took.count()},
                                {"ok", call.ok}});
    if (known.calls_since) out["calls_since"] = admin::iso_time(*known.calls_since);
    return out;
}

}  // namespace sg::service
