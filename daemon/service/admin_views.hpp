#pragma once
// Every part's status in the words of the status page.

#include <string>
#include <vector>

#include "admin/snapshot.hpp"
#include "alerts/channel.hpp"
#include "dispatch/dispatcher.hpp"
#include "plugins/plugin_set.hpp"
#include "stream/stream.hpp"
#include "util/clock.hpp"

namespace sg::service {

/// What the views are made of. `now` and `utc` are one moment.
struct Statuses {
    stream::Status stream;
    std::vector<dispatch::LaneStatus> lanes;
    std::vector<plugins::PluginStatus> plugins;
    Clock::Time now{};
    UtcTime utc{};
};

admin::StreamView stream_view(const Statuses& statuses);

/// One for each plugin that has a file, in processing order, then one for each lane without any.
std::vector<admin::PluginView> plugin_views(const Statuses& statuses,
                                            const plugins::PluginSetOptions& options);

std::vector<admin::AlertView> alert_views(const std::vector<alerts::ChannelStatus>& channels);

/// "Following https://site.example; 3 plugins, 1 disabled.", or what is wrong.
std::string one_line(const admin::Snapshot& snapshot);

}  // namespace sg::service
