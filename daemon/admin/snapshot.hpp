#pragma once
// What the daemon is doing at one moment, for people and for scrapers.

#include <array>
#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <sg/types.hpp>
#include <string>
#include <vector>

#include "admin/histogram.hpp"
#include "admin/webhook.hpp"

namespace sg::admin {

struct DaemonView {
    std::string version;
    int pid = 0;
    std::string site;  ///< its address
    UtcTime started{};
    UtcTime taken{};                 ///< when this was looked at
    bool takes_a_token = false;      ///< the page may have dead letters tried again
    std::uint64_t wrong_tokens = 0;  ///< requests of the page that were refused for theirs
    std::uint64_t commits = 0;       ///< of the state, since it was opened
};

struct StreamView {
    std::string state;  ///< waiting, level, catching_up, lost, down, refused, stopped
    UtcTime since{};    ///< of `state`
    bool in_trouble = false;
    EventId highest = 0;                            ///< id that was seen
    std::size_t open_gaps = 0;                      ///< ranges of ids that are waited for
    std::optional<std::chrono::milliseconds> skew;  ///< the site's clock minus ours
    std::optional<UtcTime> last_answer;
    std::string last_error;
    std::uint64_t polls = 0, lane_queries = 0, gap_queries = 0, answers = 0, failures = 0;
    std::uint64_t events = 0, late = 0, gaps_closed = 0;
    std::size_t watched = 0;      ///< ranges of ids that were given up and are still looked for
    std::uint64_t very_late = 0;  ///< events that turned up in such
};

/// How a plugin is, in one word and one look.
enum class Health : std::uint8_t { good, busy, bad };

struct PluginView {
    std::string plugin;
    std::string state;  ///< as a person would say it: "running", "catching up", "failed to load", …
    Health health = Health::good;
    std::string why;  ///< of a state that is not normal
    UtcTime since{};  ///< of the lane's state
    std::string file, build, isolation;
    std::uint64_t generation = 0;
    int pid = 0;  ///< 0: none, or a thread of the daemon
    std::size_t callbacks = 0;
    EventId position = 0, cursor = 0;
    EventId behind = 0;  ///< ids between the plugin's position and the highest one seen
    std::size_t queued = 0, outstanding = 0, pending = 0;
    EventId lag_events = 0;            ///< ids between the last one that is settled and the highest one seen
    std::optional<UtcTime> oldest;     ///< when the oldest event in hand was written, by the site's clock
    std::chrono::milliseconds lag{0};  ///< age of the oldest event that is not settled
    std::uint64_t succeeded = 0, failed = 0;  ///< calls, since the daemon started
    std::uint64_t skipped = 0;                ///< events that a callback failed on and let go, since then
    std::size_t dead_letters = 0;             ///< events that were given up and kept
    Histogram call_times;                     ///< of callbacks, from entry to outcome
    Histogram delays;  ///< from the time an event was written on the site to its callback's first entry
};

/// A way in which people are told of trouble. Numbers of alerts, since the daemon started.
struct AlertView {
    std::string channel;  ///< mail, hook, command
    std::uint64_t messages = 0, sent = 0, held_back = 0, failures = 0, lost = 0;
    std::size_t waiting = 0;
    std::string last_error;  ///< empty while sending works
    std::optional<UtcTime> last_sent{};
};

/// What came in as a delivery of the site's webhook, by what became of it, since the daemon started.
struct WebhookView {
    std::array<std::uint64_t, delivery_kinds> deliveries{};
};

/// What a plugin did with an event: the last call of one of its callbacks that ended.
struct CallView {
    std::string plugin, callback;
    bool ok = true;
    std::chrono::microseconds took{0};
    std::size_t calls = 1;  ///< of this callback with this event
};

/// An event that was handled lately.
struct EventView {
    EventId event = 0;
    std::string type, attribute;
    std::optional<UtcTime> created{};
    std::vector<CallView> calls{};
    std::size_t more_calls = 0;  ///< by callbacks for which there is no room in `calls`
};

struct Snapshot {
    DaemonView daemon;
    StreamView stream;
    std::vector<PluginView> plugins;       ///< in processing order
    std::vector<AlertView> alerts;         ///< those that are set up
    std::optional<WebhookView> webhook{};  ///< nullopt: none is received
    std::vector<EventView> recent{};       ///< handled last, that which came first last
};

/// The form that `status --output json`, `/api/status` and the status page share. Times are UTC,
/// ISO 8601; durations are in milliseconds and say so.
nlohmann::json to_json(const Snapshot& snapshot);

/// `2026-03-04T05:06:07Z`.
std::string iso_time(UtcTime time);

std::string_view to_string(Health health) noexcept;

/// Ready: the site has answered, and no plugin failed to load. The text says what is missing.
struct Readiness {
    bool ready = false;
    std::string why;
};
Readiness readiness(const Snapshot& snapshot);

}  // namespace sg::admin
