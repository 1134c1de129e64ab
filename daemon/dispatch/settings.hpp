#pragma once
// What the configuration says about lanes.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <sg/registrar.hpp>
#include <sg/types.hpp>
#include <string>
#include <vector>

#include "util/backoff.hpp"

namespace sg::dispatch {

/// Where a plugin that was never seen before begins. Fixed and stored at its first load.
struct StartRule {
    enum class Kind { latest, earliest, after_id };
    Kind kind = Kind::latest;
    EventId id = 0;  ///< of `after_id`: the first event is the one after this
};

/// What becomes of events that a plugin's callbacks fail on.
struct FailureRule {
    std::optional<OnFailure> policy;  ///< instead of what each callback registered

    // Of `retry`, after which an event is a dead letter. Attempts that failed because the site was away, busy
    // or did not know the credential are no fault of the event, and do not count.
    std::uint32_t attempts = 12;
    std::uint32_t crashes = 3;                               ///< hosts that died of it
    std::optional<std::chrono::milliseconds> give_up_after;  ///< of pauses in sum, whatever the reason

    std::optional<Backoff::Limits> pauses;  ///< between attempts; none: `Settings::retry`
};

/// What happens to an event that is given up when there is no room for its letter.
enum class WhenFull : std::uint8_t {
    hold,         ///< it is tried again without end; too many of these hold up their plugin
    drop_oldest,  ///< the plugin's oldest letters make room
};

struct DeadLetterLimits {
    std::size_t per_plugin = 1000;
    std::size_t bytes = 32 << 20;  ///< of all plugins: they are in memory, too
    WhenFull when_full = WhenFull::hold;
};

/// Every bound is per lane unless it says otherwise.
struct Settings {
    StartRule start;                          ///< of plugins without an entry in `starts`
    std::map<std::string, StartRule> starts;  ///< by plugin name

    /// Pauses between the attempts of one callback on one event.
    Backoff::Limits retry{std::chrono::milliseconds(100), std::chrono::seconds(1), std::chrono::minutes(5)};

    FailureRule failure;                          ///< of plugins without an entry in `failures`
    std::map<std::string, FailureRule> failures;  ///< by plugin name
    DeadLetterLimits dead_letters;

    /// Plugins that wait for missing ids, as long as these are waited for, instead of getting them late.
    bool strict_order = false;                  ///< of plugins without an entry in `strict_orders`
    std::map<std::string, bool> strict_orders;  ///< by plugin name

    /// Directories of plugins that get each event one after another: by directory, as listed, then by file
    /// name.
    std::vector<std::string> ordered_collections;

    std::size_t queue_events = 2000;     ///< taken from the source and not handed out; more is pulled later
    std::size_t queue_bytes = 4 << 20;   ///< of the pages these keep alive; one page always fits
    std::size_t window_events = 2048;    ///< handed to the host and without an outcome
    std::size_t window_bytes = 4 << 20;  ///< of these events; a larger event travels alone
    std::chrono::milliseconds window_time{100};  ///< worth of work that a host has in hand, as last measured

    /// Owed by callbacks that exist: at this the lane takes no new event. Late rows are taken all the same.
    std::size_t pending_rows = 1000;
    std::size_t pending_bytes = 8 << 20;  ///< the same for the size of their events

    std::size_t unsaved = 10'000;  ///< outcomes not durable, all lanes together; then nothing is handed out
    /// Nobody fetches what is behind while plugins that were announced are being loaded, unless none of them
    /// became ready for so long, or so long altogether.
    std::chrono::milliseconds gather_time{1'000};
    std::chrono::milliseconds gather_most{30'000};

    EventId far_behind = 10'000;  ///< a plugin that returns farther behind than this is warned about
};

}  // namespace sg::dispatch
