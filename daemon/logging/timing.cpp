#include "logging/timing.hpp"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>

namespace sg::logging {
namespace {

using std::chrono::microseconds;

microseconds since_epoch(UtcTime time) {
    return std::chrono::duration_cast<microseconds>(time.time_since_epoch());
}

/// ISO 8601 with the offset of the place and time; microseconds only where there are some, as Python does.
std::string local_text(UtcTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto local = fmt::localtime(std::chrono::system_clock::to_time_t(seconds));
    const auto micros = std::chrono::duration_cast<microseconds>(time - seconds).count();
    auto zone = fmt::format("{:%z}", local);  // +0100
    zone.insert(zone.size() - 2, ":");
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}{}{}", local, micros == 0 ? "" : fmt::format(".{:06}", micros),
                       zone);
}

std::string utc_text(UtcTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto micros = std::chrono::duration_cast<microseconds>(time - seconds).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), micros);
}

std::string old_duration(microseconds time) {
    const auto all = time.count() < 0 ? -time.count() : time.count();
    const auto seconds = all / 1'000'000;
    return fmt::format("{}{:02}:{:02}:{:02}:{:02}.{:06}", time.count() < 0 ? "-" : "", seconds / 86'400,
                       seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, all % 1'000'000);
}

double in_seconds(microseconds time) { return static_cast<double>(time.count()) / 1e6; }

}  // namespace

std::string old_line(const Timing& call) {
    const auto start = since_epoch(call.start);
    return fmt::format("event_id={} created_at={} callback={} start={} end={} duration={} error={} delay={}",
                       call.event, call.created_at ? local_text(*call.created_at) : "None", call.callback,
                       local_text(call.start), local_text(call.end),
                       old_duration(since_epoch(call.end) - start), call.failed ? "True" : "False",
                       call.created_at ? old_duration(start - since_epoch(*call.created_at)) : "None");
}

std::string record(const Timing& call) {
    const auto start = since_epoch(call.start);
    nlohmann::ordered_json out{
        {"event_id", call.event}, {"created_at", nullptr}, {"callback", call.callback}};
    if (call.created_at) out["created_at"] = utc_text(*call.created_at);
    out["start"] = utc_text(call.start);
    out["end"] = utc_text(call.end);
    out["duration_s"] = in_seconds(since_epoch(call.end) - start);
    out["failed"] = call.failed;
    out["delay_s"] = nullptr;
    if (call.created_at) out["delay_s"] = in_seconds(start - since_epoch(*call.created_at));
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace sg::logging
