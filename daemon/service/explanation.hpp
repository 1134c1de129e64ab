#pragma once
// What is known of one event and one plugin, for whoever asks why the one did nothing for the other.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/store.hpp"
#include "dispatch/dispatcher.hpp"
#include "service/admin_views.hpp"
#include "service/call_history.hpp"
#include "stream/stream.hpp"

namespace sg::service {

struct Known {
    std::string plugin;
    EventId event = 0;
    std::string state;  ///< of the plugin, as `status` says it
    std::string why;    ///< … of one that is not normal
    EventId start = 0;  ///< nothing at or below it is its business
    EventId position = 0, settled = 0;
    EventId highest = 0;                            ///< that the daemon has seen
    stream::Absence absence = stream::Absence::no;  ///< of the event
    std::vector<dispatch::OwedCall> owed{};
    std::vector<checkpoint::DeadLetterPtr> letters{};
    std::vector<PastCall> calls{};
    std::optional<UtcTime> calls_since{};  ///< nullopt: none are remembered
};

/// While the daemon runs, less the calls it remembers. On the loop.
Known known_of(const std::string& plugin, EventId event, const Statuses& statuses,
               const plugins::PluginSetOptions& options, const dispatch::Dispatcher& dispatcher,
               const stream::Stream& stream);

/// While no daemon runs. Nullopt: the state has no such plugin.
std::optional<Known> known_of(const std::string& plugin, EventId event, const checkpoint::Snapshot& state);

/// The form of `explain --output json`, less what the plugin itself says; docs/operating.md has it.
nlohmann::json to_json(const Known& known);

}  // namespace sg::service
