// sgeventd explain

#include "cli/explain_command.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "admin/snapshot.hpp"
#include "cli/at_hand.hpp"
#include "cli/control_client.hpp"
#include "cli/plugins_command.hpp"
#include "service/explanation.hpp"
#include "service/replay.hpp"

namespace sg::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds longest_wait{10};

/// The event, and who wants it as the plugin is now.
class Look final : public service::ReplayView {
public:
    void on_event(const event::EventRow& row) override {
        event = {{"id", row.id},
                 {"type", row.type},
                 {"attribute", row.attribute},
                 {"created", admin::iso_time(row.created_at)}};
    }
    void on_missing(stream::IdRange) override {}
    void on_match(const std::string&, const std::string& callback) override {
        callbacks[callback] = {{"wants", true}};
    }
    void on_no_match(const std::string&, const std::string& callback, const std::string& why) override {
        callbacks[callback] = {{"wants", false}, {"why", why}};
    }
    void on_write(const service::IntendedWrite&) override {}
    void on_outcome(const std::string&, const std::string&, const plugins::Outcome&) override {}
    void on_crash(const std::string&, const std::string& reason) override { trouble = reason; }
    void on_refused(const std::string& plugin, const std::string& why) override {
        trouble = plugin + " is not loaded: " + why;
    }

    json event;
    std::map<std::string, json> callbacks;
    std::string trouble;  ///< why it is not known who wants it
};

std::optional<json> of_the_daemon(const config::Config& config, const ExplainOptions& options,
                                  ExitCode& code) {
    ControlOptions daemon;
    daemon.socket = config.admin_socket();
    const json question{{"plugin", options.plugin}, {"event", options.event}};
    const auto taken = ask(daemon, "POST", "/api/plugins/explain",
                           question.dump(-1, ' ', false, json::error_handler_t::replace), code);
    if (!taken) return std::nullopt;
    auto outcome = outcome_of_order(daemon, *taken, longest_wait, code);
    return outcome ? std::optional(outcome->value("known", json())) : std::nullopt;
}

std::optional<json> of_the_state(const AtHand& at_hand, const ExplainOptions& options, ExitCode& code) {
    SystemClock clock;
    const auto store = open_state(at_hand.config.state_dir, clock, at_hand.logging->engine());
    if (!store) {
        code = store.error();
        return std::nullopt;
    }
    const auto known = *store == nullptr
                           ? std::nullopt
                           : service::known_of(options.plugin, options.event, (*store)->snapshot());
    if (known) return to_json(*known);
    std::fprintf(stderr, "sgeventd: no daemon runs, and its state knows no plugin '%s'\n",
                 options.plugin.c_str());
    code = ExitCode::data;
    return std::nullopt;
}

EventId id_at(const json& known, const char* key) { return known.at(key).get<EventId>(); }

std::string string_at(const json& object, const char* key) { return object.at(key).get<std::string>(); }

/// Where the event lies, seen from the plugin.
std::string place_of(const json& known, EventId event) {
    const auto absence = string_at(known, "absence");
    if (absence == "awaited")
        return "the site has not shown it yet; it is looked for until its gap is given up";
    if (absence == "watched") return "the site did not show it in time; it is still looked for, now and then";
    if (event > id_at(known, "highest"))
        return fmt::format("newer than anything the daemon has seen ({})", id_at(known, "highest"));
    if (event <= id_at(known, "start"))
        return fmt::format("before its start: nothing up to {} is its business", id_at(known, "start"));
    const auto position = id_at(known, "position"), settled = id_at(known, "settled");
    if (event > position) return fmt::format("not reached yet: it stands at {}", position);
    if (event > settled) return "in hand: it waits for its turn, or runs";
    return fmt::format("passed: it was handed all that it wants up to {}", settled);
}

/// What is known of the event and one callback, the oldest first.
std::vector<std::string> history_of(const json& known, const std::string& callback) {
    std::vector<std::string> lines;
    const auto each = [&](const char* list, auto&& line) {
        for (const auto& one : known.at(list))
            if (string_at(one, "callback") == callback) lines.push_back(line(one));
    };
    each("calls", [](const json& call) {
        return fmt::format("called {}: {} {:.1f} ms", string_at(call, "ended"),
                           call.at("ok").get<bool>() ? "done in" : "failed after",
                           call.at("took_us").get<double>() / 1000);
    });
    each("owed", [](const json& call) {
        const auto attempts = call.at("attempts").get<int>();
        if (call.at("running").get<bool>()) return fmt::format("runs now, attempt {}", attempts + 1);
        if (attempts == 0) return "owed: next try " + string_at(call, "due");
        return fmt::format("owed: {} attempts failed, next try {}: {}", attempts, string_at(call, "due"),
                           string_at(call, "error"));
    });
    each("dead_letters", [](const json& letter) {
        const auto& errors = letter.at("errors");
        return fmt::format("given up {}: {}{}", string_at(letter, "died"), string_at(letter, "reason"),
                           errors.empty() ? "" : ": " + string_at(errors.back(), "text"));
    });
    return lines;
}

/// Why a callback that wants it has no history.
std::string no_history(const json& known, EventId event) {
    if (event > id_at(known, "settled") || event <= id_at(known, "start") ||
        string_at(known, "absence") != "no")
        return "wants it";
    if (known.at("calls_since").is_null())
        return "wants it; how its call went is known to a running daemon alone";
    return fmt::format("wants it, and was not called since {}, before which nothing is remembered",
                       string_at(known, "calls_since"));
}

void print_text(const ExplainOptions& options, const json& known, const Look& look) {
    if (look.event.is_null())
        fmt::print("event {}  {}\n", options.event,
                   look.trouble.empty() ? "not on the site, or not shown to the daemon's script" : "");
    else
        fmt::print("event {}  {}  {}  {}\n", options.event, string_at(look.event, "created"),
                   string_at(look.event, "type"), string_at(look.event, "attribute"));
    const auto why = string_at(known, "why");
    fmt::print("plugin {}  {}{}\n  {}\n", options.plugin, string_at(known, "state"),
               why.empty() ? "" : ": " + why, place_of(known, options.event));
    auto callbacks = look.callbacks;
    for (const char* list : {"calls", "owed", "dead_letters"})
        for (const auto& one : known.at(list))
            callbacks.try_emplace(string_at(one, "callback"), json::object());
    for (const auto& [callback, now] : callbacks) {
        const auto lines = history_of(known, callback);
        for (const auto& line : lines) fmt::print("  {}: {}\n", callback, line);
        if (now.contains("why"))
            fmt::print("  {}: does not want it{}: {}\n", callback, lines.empty() ? "" : " any more",
                       string_at(now, "why"));
        else if (lines.empty())
            fmt::print("  {}: {}\n", callback, no_history(known, options.event));
    }
    if (!look.trouble.empty()) fmt::print("  who wants it is not known: {}\n", look.trouble);
}

}  // namespace

service::ExitCode explain_command(const ExplainOptions& options) {
    const auto at_hand = open_at_hand(options.config);
    if (!at_hand) return at_hand.error();
    const auto& config = at_hand->config;
    auto code = ExitCode::ok;
    const auto status = ask_daemon(config.admin_socket(), "GET", "/api/status");
    const bool runs = status || status.error().cause != Cause::network;
    const auto known = runs ? of_the_daemon(config, options, code) : of_the_state(*at_hand, options, code);
    if (!known) return code;

    Look look;
    service::ReplayOptions now;
    now.ids = {{options.event, options.event}};
    now.plugins = {options.plugin};
    if (const auto looked = service::replay(config, now, *at_hand->logging, look); !looked)
        look.trouble = looked.error().message;
    if (options.output == Output::text) {
        print_text(options, *known, look);
        return ExitCode::ok;
    }
    json out{{"event", look.event}, {"known", *known}, {"callbacks", json::array()}};
    for (auto& [callback, wants] : look.callbacks) {
        wants["callback"] = callback;
        out["callbacks"].push_back(wants);
    }
    if (!look.trouble.empty()) out["trouble"] = look.trouble;
    fmt::print("{}\n", out.dump(2, ' ', false, json::error_handler_t::replace));
    return ExitCode::ok;
}

}  // namespace sg::cli
