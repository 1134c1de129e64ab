#pragma once
// What went wrong with one event in one callback, and what is kept of it when it is given up.

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/error.hpp>
#include <sg/types.hpp>
#include <string>
#include <vector>

namespace sg::checkpoint {

/// Stored UTC instants; milliseconds are enough for deadlines.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// One attempt that failed.
struct CallError {
    std::uint32_t attempt = 0;
    Instant at{};
    Cause cause = Cause::internal;
    bool crashed = false;  ///< its host died of it
    std::string text;
    friend bool operator==(const CallError&, const CallError&) = default;
};

/// The attempts of one callback on one event so far. The first error is kept and the latest ones, each cut.
struct History {
    static constexpr std::size_t most_errors = 8;
    static constexpr std::size_t longest_text = 1000;
    static constexpr std::size_t longest_trace = 4000;

    std::uint32_t excused = 0;  ///< attempts that were not the event's fault, or were forgiven
    std::uint32_t crashes = 0;
    std::chrono::milliseconds waited{};  ///< between attempts, in sum: no clock that is set moves it
    std::uint32_t left_out = 0;          ///< errors between the first and the others that are not kept
    std::vector<CallError> errors;
    std::string trace;  ///< the end of what the host wrote when it died last: frames, where it had any
    std::string build;  ///< that failed last

    void add(CallError error);
    bool empty() const noexcept { return *this == History(); }
    friend bool operator==(const History&, const History&) = default;
};

nlohmann::json to_json(const History& history);
/// Nothing, if that is not a history.
std::optional<History> history_from(const nlohmann::json& value);

/// One event that one callback was not able to handle. Settled: nobody is waiting for it any more.
struct DeadLetter {
    std::string plugin;
    EventId event = 0;
    std::string callback;
    std::uint32_t attempts = 0;
    Instant died{};
    std::string why;  ///< it was given up: "12 attempts failed"
    bool redelivered = false;
    std::string type;
    std::string attribute;
    EntityId project = 0;
    std::chrono::sys_seconds created_at{};
    std::string body;  ///< the row's JSON text, byte by byte
    History history;

    /// Roughly what it takes, in memory and on disk.
    std::size_t bytes() const noexcept;
};

/// Some dead letters: what is empty or absent here may be anything.
struct LetterChoice {
    std::string plugin;
    std::optional<EventId> event;
    std::string callback;
    bool matches(const DeadLetter& letter) const;
};

/// As people and other programs get it (docs/operating.md): times in UTC, ISO 8601; the event as the site
/// sent it.
nlohmann::json shown(const DeadLetter& letter);

/// Shared between what is in memory and what is being written: never copied, never changed.
using DeadLetterPtr = std::shared_ptr<const DeadLetter>;

}  // namespace sg::checkpoint
