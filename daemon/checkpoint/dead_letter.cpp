#include "checkpoint/dead_letter.hpp"

#include <fmt/chrono.h>

#include <utility>

namespace sg::checkpoint {

namespace {

using nlohmann::json;

/// Not in the middle of a character.
void cut(std::string& text, std::size_t most) {
    if (text.size() <= most) return;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    text.resize(most);
}

std::string utc(Instant at) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(at)));
}

}  // namespace

void History::add(CallError error) {
    cut(error.text, longest_text);
    errors.push_back(std::move(error));
    if (errors.size() <= most_errors) return;
    errors.erase(errors.begin() + 1);
    ++left_out;
}

json to_json(const History& history) {
    json errors = json::array();
    for (const auto& error : history.errors)
        errors.push_back({{"attempt", error.attempt},
                          {"at_ms", error.at.time_since_epoch().count()},
                          {"cause", static_cast<int>(error.cause)},
                          {"crashed", error.crashed},
                          {"text", error.text}});
    return {
        {"excused", history.excused},   {"crashes", history.crashes},  {"waited_ms", history.waited.count()},
        {"left_out", history.left_out}, {"errors", std::move(errors)}, {"trace", history.trace},
        {"build", history.build}};
}

std::optional<History> history_from(const json& value) {
    try {
        History out;
        value.at("excused").get_to(out.excused);
        value.at("crashes").get_to(out.crashes);
        out.waited = std::chrono::milliseconds(value.at("waited_ms").get<std::int64_t>());
        value.at("left_out").get_to(out.left_out);
        for (const auto& one : value.at("errors")) {
            CallError error;
            one.at("attempt").get_to(error.attempt);
            error.at = Instant(std::chrono::milliseconds(one.at("at_ms").get<std::int64_t>()));
            error.cause = static_cast<Cause>(one.at("cause").get<int>());
            one.at("crashed").get_to(error.crashed);
            one.at("text").get_to(error.text);
            out.errors.push_back(std::move(error));
        }
        value.at("trace").get_to(out.trace);
        value.at("build").get_to(out.build);
        return out;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

bool LetterChoice::matches(const DeadLetter& letter) const {
    return (plugin.empty() || letter.plugin == plugin) && (!event || letter.event == *event) &&
           (callback.empty() || letter.callback == callback);
}

json shown(const DeadLetter& letter) {
    json errors = json::array();
    for (const auto& error : letter.history.errors)
        errors.push_back({{"attempt", error.attempt},
                          {"at", utc(error.at)},
                          {"cause", std::string(to_string(error.cause))},
                          {"crashed", error.crashed},
                          {"text", error.text}});
    json row = json::parse(letter.body, nullptr, false);
    if (row.is_discarded()) row = letter.body;
    return {{"plugin", letter.plugin},
            {"callback", letter.callback},
            {"event", letter.event},
            {"event_type", letter.type},
            {"attribute", letter.attribute},
            {"attempts", letter.attempts},
            {"crashes", letter.history.crashes},
            {"died", utc(letter.died)},
            {"reason", letter.why},
            {"errors", std::move(errors)},
            {"errors_left_out", letter.history.left_out},
            {"trace", letter.history.trace},
            {"build", letter.history.build},
            {"row", std::move(row)}};
}

std::size_t DeadLetter::bytes() const noexcept {
    constexpr std::size_t row = 200;
    std::size_t sum =
        row + plugin.size() + callback.size() + why.size() + type.size() + attribute.size() + body.size();
    for (const auto& error : history.errors) sum += 50 + error.text.size();
    return sum + history.trace.size() + history.build.size();
}

}  // namespace sg::checkpoint
