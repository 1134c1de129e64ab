#include "service/admin_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace sg::service {
namespace {

using admin::Health;

bool is_trouble(stream::State state) {
    return state == stream::State::lost || state == stream::State::down || state == stream::State::refused;
}

/// What the plugin set says of a plugin that serves no events; false if it serves.
bool tell_stage(const plugins::PluginStatus& plugin, admin::PluginView& view) {
    view.why = plugin.last_error;
    switch (plugin.stage) {
        case plugins::Stage::starting:
            view.state = "starting";
            view.health = Health::busy;
            return true;
        case plugins::Stage::retrying:
            view.state = "retrying to load";
            view.health = Health::bad;
            return true;
        case plugins::Stage::refused:
            view.state = "failed to load";
            view.health = Health::bad;
            return true;
        case plugins::Stage::gone:
            view.state = "its file is gone";
            view.health = Health::bad;
            return true;
        case plugins::Stage::disabled:
            view.state = "disabled";
            view.health = Health::good;
            return true;
        case plugins::Stage::stopped:
            view.state = "stopped";
            view.health = Health::busy;
            return true;
        case plugins::Stage::serving:
            break;
    }
    if (!plugin.stuck) return false;
    view.state = "stuck";
    view.health = Health::bad;
    return true;
}

void tell_lane(const dispatch::LaneStatus& lane, admin::PluginView& view) {
    view.why = lane.why;
    switch (lane.state) {
        case dispatch::LaneState::level:
            view.state = lane.pending > 0 ? "running, retrying" : "running";
            view.health = lane.pending > 0 ? Health::busy : Health::good;
            return;
        case dispatch::LaneState::behind:
            view.state = "catching up";
            view.health = Health::busy;
            return;
        case dispatch::LaneState::waiting_for_start:
            view.state = "waiting for the site";
            view.health = Health::busy;
            return;
        case dispatch::LaneState::waiting_for_plugin:
            view.state = "waiting for its host";
            view.health = Health::busy;
            return;
        case dispatch::LaneState::paused:
            view.state = "paused";
            view.health = Health::busy;
            return;
        case dispatch::LaneState::halted:
        case dispatch::LaneState::held:
        case dispatch::LaneState::unsaved:
            view.state = to_string(lane.state);
            view.health = Health::bad;
            return;
        case dispatch::LaneState::draining:
            view.state = "draining";
            view.health = Health::busy;
            return;
    }
}

void add_figures(const dispatch::LaneStatus& lane, const Statuses& statuses, admin::PluginView& view) {
    view.since = statuses.utc - std::chrono::duration_cast<UtcTime::duration>(statuses.now - lane.since);
    view.position = lane.position;
    view.cursor = lane.cursor;
    view.behind = std::max<EventId>(0, statuses.stream.highest - lane.position);
    view.lag_events = lane.settled > 0 ? std::max<EventId>(0, statuses.stream.highest - lane.settled) : 0;
    if (lane.oldest) view.oldest = *lane.oldest;
    view.queued = lane.queued;
    view.outstanding = lane.outstanding;
    view.pending = lane.pending;
    view.succeeded = lane.succeeded;
    view.failed = lane.failed;
    view.skipped = lane.skipped;
    view.dead_letters = lane.dead;
}

}  // namespace

admin::StreamView stream_view(const Statuses& statuses) {
    const auto& from = statuses.stream;
    admin::StreamView view;
    view.state = to_string(from.state);
    view.since = from.since;
    view.in_trouble = is_trouble(from.state);
    view.highest = from.highest;
    view.open_gaps = from.open_gaps;
    view.skew = from.skew;
    view.last_answer = from.last_answer;
    view.last_error = from.last_error;
    view.polls = from.polls;
    view.lane_queries = from.lane_queries;
    view.gap_queries = from.gap_queries;
    view.answers = from.answers;
    view.failures = from.failures;
    view.events = from.events;
    view.late = from.late;
    view.gaps_closed = from.gaps_closed;
    view.watched = from.watched;
    view.very_late = from.very_late;
    return view;
}

std::vector<admin::PluginView> plugin_views(const Statuses& statuses,
                                            const plugins::PluginSetOptions& options) {
    std::vector<admin::PluginView> views;
    // By name, and what is left at the end has no file: this runs on the loop, and there may be a thousand.
    std::map<std::string_view, const dispatch::LaneStatus*> lanes;
    for (const auto& lane : statuses.lanes) lanes.emplace(lane.plugin, &lane);
    for (const auto& plugin : statuses.plugins) {
        auto& view = views.emplace_back();
        view.plugin = plugin.plugin;
        view.file = plugin.file.string();
        view.build = plugin.build;
        view.generation = plugin.generation;
        view.pid = plugin.pid;
        view.callbacks = plugin.callbacks;
        view.isolation =
            options.of(plugin.plugin).isolation == plugins::Isolation::thread ? "thread" : "process";
        view.since = statuses.utc;
        const auto found = lanes.extract(plugin.plugin);
        const auto* lane = found.empty() ? nullptr : found.mapped();
        if (lane != nullptr) add_figures(*lane, statuses, view);
        if (!tell_stage(plugin, view) && lane != nullptr) tell_lane(*lane, view);
    }
    for (const auto& [name, lane] : lanes) {
        auto& view = views.emplace_back();
        view.plugin = name;
        view.state = "no file in any collection";
        view.health = Health::busy;
        add_figures(*lane, statuses, view);
    }
    return views;
}

std::vector<admin::AlertView> alert_views(const std::vector<alerts::ChannelStatus>& channels) {
    std::vector<admin::AlertView> views;
    for (const auto& channel : channels)
        views.push_back({channel.name, channel.messages, channel.sent, channel.held_back, channel.failures,
                         channel.lost, channel.waiting, channel.last_error, channel.last_sent});
    return views;
}

std::string one_line(const admin::Snapshot& snapshot) {
    const auto ready = admin::readiness(snapshot);
    if (!ready.ready) return "Not ready: " + ready.why;
    const auto& plugins = snapshot.plugins;
    const auto disabled = std::count_if(plugins.begin(), plugins.end(),
                                        [](const auto& plugin) { return plugin.state == "disabled"; });
    const auto enabled = static_cast<std::ptrdiff_t>(plugins.size()) - disabled;
    const auto behind = std::count_if(plugins.begin(), plugins.end(),
                                      [](const auto& plugin) { return plugin.health != Health::good; });
    const auto what = enabled == 1 ? "plugin" : "plugins";
    const auto more = disabled > 0 ? fmt::format(", {} disabled", disabled) : std::string();
    if (behind > 0)
        return fmt::format("Following {}; {} of {} {} behind or in trouble{}.", snapshot.daemon.site, behind,
                           enabled, what, more);
    return fmt::format("Following {}; {} {}{}.", snapshot.daemon.site, enabled, what, more);
}

}  // namespace sg::service
