#pragma once
// What the daemon and a host say to each other.

#include <boost/container/small_vector.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <sg/error.hpp>
#include <sg/event_filter.hpp>
#include <sg/event_traits.hpp>
#include <sg/logger.hpp>
#include <sg/registrar.hpp>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "event/event_page.hpp"
#include "util/result.hpp"

namespace sg::host {

/// Callbacks of one plugin by their index, ascending. Few nearly always: an event makes no allocation.
using CallbackList = boost::container::small_vector<std::uint16_t, 8>;

/// One event for one plugin.
struct Delivery {
    event::EventHandle event;
    CallbackList callbacks;  ///< indexes into the registered callbacks, ascending
    std::uint32_t attempt = 1;
    bool redelivered = false;
    std::vector<EventId> merged = {};  ///< other events that this call is for, ascending; nearly always none
};

/// How one callback ended on one event.
struct Outcome {
    EventId event = 0;
    std::uint16_t callback = 0;
    bool ok = true;
    Cause cause = Cause::internal;  ///< of a failure
    std::string error;              ///< text of a failure
    std::chrono::microseconds duration{};
};

// To a host.

/// First, once. What a host needs to load its plugin.
struct Configure {
    std::string plugin;
    std::string library;  ///< absolute path of the private copy
    std::string args;     ///< JSON text
    std::string site;     ///< the site's identity, for idempotency keys
    LogLevel level = LogLevel::info;
    bool dry_run = false;
    std::optional<std::chrono::milliseconds> hard_deadline;  ///< of a call
    std::uint32_t requests_at_once = 1;
};

/// A row of a page, and the callbacks that want it.
struct WantedRow {
    std::uint32_t row;
    const CallbackList* callbacks;  ///< not empty
};

/// What one plugin wants of a page, by ascending row.
struct WantedRows {
    std::vector<WantedRow> rows;
    std::shared_ptr<const void> lists;  ///< what the rows point at
};
using WantedPtr = std::shared_ptr<const WantedRows>;

/// Events of one page in a row, each for the first time. What is the same for all of them is said once: with
/// many plugins most of what an event costs is what is written and read for each.
struct Run {
    event::PagePtr page;
    WantedPtr wanted;                 ///< keeps `rows`
    std::span<const WantedRow> rows;  ///< not empty
    bool redelivered = false;
};

/// Events to run, in this order, one at a time but where their callbacks may overlap: the single ones first.
struct Deliver {
    std::vector<Delivery> batch;
    std::vector<Run> runs{};

    bool empty() const noexcept { return batch.empty() && runs.empty(); }
};

/// Calls `visit(const Delivery&)` for each event, until it returns false.
template <class Visit>
void visit_each(const Deliver& deliver, Visit visit) {
    for (const auto& single : deliver.batch)
        if (!visit(single)) return;
    for (const auto& run : deliver.runs) {
        Delivery delivery;
        delivery.event.page = run.page;
        delivery.redelivered = run.redelivered;
        for (const auto& wanted : run.rows) {
            delivery.event.index = wanted.row;
            delivery.callbacks = *wanted.callbacks;
            if (!visit(std::as_const(delivery))) return;
        }
    }
}

/// All as single events.
std::vector<Delivery> expand(Deliver deliver);

/// The answer to a request: JSON text, or why there is none.
struct Answer {
    std::uint64_t request = 0;
    Result<std::string> result;
};

/// Asks the call with this sequence to end: its stop token is set.
struct StopCall {
    std::uint64_t sequence = 0;
};

/// The event that runs may finish, no other begins, and the host ends.
struct Drain {};

/// As `Drain`, and the call that runs is asked to end.
struct Stop {};

struct SetLevel {
    LogLevel level = LogLevel::info;
};

/// How a request of the data retriever ended: JSON text of `{"type": …, "data": …}`, or why there is none.
/// With the cause `stopped` it was cancelled.
struct DataAnswer {
    std::uint64_t request = 0;
    Result<std::string> result;
};

/// So many were cancelled; each has had its answer.
struct DataCleared {
    std::uint64_t clearing = 0;
    std::uint64_t requests = 0;
};

/// How the transfer of a request gets on.
struct Progress {
    std::uint64_t request = 0;
    std::uint64_t done = 0;              ///< bytes
    std::optional<std::uint64_t> total;  ///< where it is known
};

using ToHost = std::variant<Configure, Deliver, Answer, StopCall, Drain, Stop, SetLevel, DataAnswer,
                            DataCleared, Progress>;

// From a host. All of it is untrusted.

/// First, once, before the plugin is loaded.
struct Hello {
    std::string abi;  ///< SG_ABI_TEXT of the host program
};

/// How long a callback waits for further events, and which become one with the first.
struct Gathering {
    std::chrono::milliseconds coalesce{0};
    MergeBy by = MergeBy::entity_and_type;
    std::chrono::milliseconds settle{0};

    bool is_wanted() const noexcept { return coalesce.count() != 0 || settle.count() != 0; }
    friend bool operator==(const Gathering&, const Gathering&) = default;
};

inline constexpr std::chrono::milliseconds longest_gathering = std::chrono::hours(1);
inline constexpr int most_at_once = 64;  // calls of one host

struct RegisteredCallback {
    std::string name;
    EventFilter filter;
    Credential credential;
    OnFailure on_failure = OnFailure::retry;
    int concurrency = 1;
    EventTraits only{}, never{};
    std::vector<std::string> fields{};
    Gathering gathering{};
};

/// The plugin is loaded; once.
struct Registered {
    std::vector<RegisteredCallback> callbacks;
    std::string alerts;                   ///< JSON text: "all", "none", or a list of addresses
    std::optional<LogLevel> log_level{};  ///< that the plugin chose for its own lines
};

/// The plugin is not loaded, and the host ends.
struct RegistrationFailed {
    Cause cause = Cause::internal;
    std::string message;
};

/// Outcomes in the order in which they were reached.
struct Outcomes {
    std::uint64_t first = 0;  ///< sequence of the first one, counted from 1 in the life of a host
    std::vector<Outcome> list;
};

/// A call of `sg::Site`.
struct Request {
    std::uint64_t id = 0;  ///< unique in the life of the host
    std::optional<std::uint16_t> callback;
    EventId event = 0;
    std::string session_uuid;
    std::string method;
    std::string arguments;  ///< JSON text
    bool progress = false;  ///< whether `Progress` is wanted
};

/// Nobody waits for that answer any more.
struct CancelRequest {
    std::uint64_t id = 0;
};

struct LogLine {
    LogLevel level = LogLevel::info;
    std::string text;
    std::optional<std::uint16_t> callback;
    EventId event = 0;
};

/// So many lines were dropped since the last time.
struct LogDropped {
    std::uint64_t lines = 0;
};

/// A request of `sg::DataRetriever`.
struct AskData {
    std::uint64_t id = 0;  ///< unique in the life of the host
    std::optional<std::uint16_t> callback;
    EventId event = 0;
    std::string session_uuid;
    std::string what;       ///< see `DataRequest`
    std::string arguments;  ///< JSON text

    std::size_t bytes() const noexcept { return session_uuid.size() + what.size() + arguments.size(); }
};

/// Nobody wants that answer any more: there is none.
struct StopData {
    std::uint64_t id = 0;
};

/// What is not worked on yet is cancelled.
struct ClearData {
    std::uint64_t clearing = 0;
};

/// What a host may have asked of the retriever and not had answers to. It keeps back what is more.
inline constexpr std::size_t most_data_requests = 256;
inline constexpr std::size_t most_data_bytes = std::size_t{64} << 20;  // of their texts; one always may

using FromHost = std::variant<Hello, Registered, RegistrationFailed, Outcomes, Request, CancelRequest,
                              LogLine, LogDropped, AskData, StopData, ClearData>;

}  // namespace sg::host
