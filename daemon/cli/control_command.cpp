// sgeventd status, poll, reload

#include "cli/control_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "cli/control_client.hpp"
#include "cli/plugins_command.hpp"
#include "config/load.hpp"

namespace sg::cli {
namespace {

using nlohmann::json;

std::optional<std::filesystem::path> socket_of(const ControlOptions& options, ExitCode& code) {
    if (!options.socket.empty()) return options.socket;
    if (options.config.empty()) {
        std::fprintf(stderr, "sgeventd: say which daemon: --config FILE or --socket PATH\n");
        code = ExitCode::usage;
        return std::nullopt;
    }
    const auto loaded = config::load(options.config, config::process_environment, config::Secrets::leave);
    if (loaded) return loaded->config.admin_socket();
    for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
    code = ExitCode::config;
    return std::nullopt;
}

std::string text_of(const json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? "-" : at->is_string() ? at->get<std::string>() : at->dump();
}

/// Marks that can be told apart without colour.
const char* mark(const std::string& health, bool colour) {
    if (health == "good") return colour ? "\033[32m●\033[0m" : "●";
    if (health == "busy") return colour ? "\033[33m◐\033[0m" : "◐";
    return colour ? "\033[31m▲\033[0m" : "▲";
}

}  // namespace

std::optional<json> ask(const ControlOptions& options, const char* method, const std::string& path,
                        const std::string& body, ExitCode& code) {
    const auto socket = socket_of(options, code);
    if (!socket) return std::nullopt;
    auto answer = ask_daemon(*socket, method, path, body);
    if (answer) {
        code = ExitCode::ok;
        return std::move(*answer);
    }
    std::fprintf(stderr, "sgeventd: %s\n", answer.error().message.c_str());
    code = answer.error().cause == Cause::network      ? ExitCode::unavailable
           : answer.error().cause == Cause::permission ? ExitCode::not_allowed
                                                       : ExitCode::data;
    return std::nullopt;
}

void print_plugins(const json& plugins) {
    const bool colour = ::isatty(STDOUT_FILENO) != 0;
    std::size_t name = 6, state = 5;
    for (const auto& plugin : plugins) {
        name = std::max(name, text_of(plugin, "plugin").size());
        state = std::max(state, text_of(plugin, "state").size());
    }
    fmt::print("  {:{}}  {:{}}  {:>9}  {:>7}  {:>9}  {:>7}  {:>8}\n", "PLUGIN", name, "STATE", state,
               "BEHIND", "OWED", "CALLS", "FAILED", "GIVEN UP");
    for (const auto& plugin : plugins) {
        const auto calls =
            plugin.at("succeeded").get<std::uint64_t>() + plugin.at("failed").get<std::uint64_t>();
        fmt::print("{} {:{}}  {:{}}  {:>9}  {:>7}  {:>9}  {:>7}  {:>8}\n",
                   mark(text_of(plugin, "health"), colour), text_of(plugin, "plugin"), name,
                   text_of(plugin, "state"), state, plugin.at("behind").get<std::int64_t>(),
                   plugin.at("pending").get<std::uint64_t>(), calls, plugin.at("failed").get<std::uint64_t>(),
                   plugin.at("dead_letters").get<std::uint64_t>());
        if (const auto why = text_of(plugin, "why"); !why.empty()) fmt::print("  {:{}}  {}\n", "", name, why);
    }
}

namespace {

/// Nothing where all goes well.
void print_alerts(const json& channels, bool colour) {
    for (const auto& channel : channels) {
        const auto lost = channel.at("lost").get<std::uint64_t>();
        const auto error = text_of(channel, "last_error");
        if (lost == 0 && error.empty()) continue;
        const auto when = text_of(channel, "last_sent");
        fmt::print("{} alerts by {}: {} sent, {} lost, {} waiting; last sent {}{}{}\n", mark("bad", colour),
                   text_of(channel, "channel"), text_of(channel, "sent"), lost, text_of(channel, "waiting"),
                   when == "-" ? "never" : when, error.empty() ? "" : "; ", error);
    }
}

void print_status(const json& status) {
    const bool colour = ::isatty(STDOUT_FILENO) != 0;
    const auto& daemon = status.at("daemon");
    const auto& stream = status.at("stream");
    const bool is_ready = status.at("ready").get<bool>();
    fmt::print("{} sgeventd {}, pid {}, since {}\n", mark(is_ready ? "good" : "busy", colour),
               text_of(daemon, "version"), text_of(daemon, "pid"), text_of(daemon, "started"));
    if (!is_ready) fmt::print("  not ready: {}\n", text_of(status, "why_not_ready"));
    const auto trouble = stream.at("in_trouble").get<bool>();
    fmt::print("{} {}: {} since {}; newest event {}, {} gaps awaited, last answer {}\n",
               mark(trouble ? "bad" : "good", colour), text_of(daemon, "site"), text_of(stream, "state"),
               text_of(stream, "since"), text_of(stream, "highest"), text_of(stream, "open_gaps"),
               text_of(stream, "last_answer"));
    if (trouble) fmt::print("  {}\n", text_of(stream, "last_error"));
    fmt::print("\n");
    print_plugins(status.at("plugins"));
    print_alerts(status.value("alerts", json::array()), colour);
}

ExitCode act(const ControlOptions& options, const std::string& path, const std::string& body = {}) {
    ExitCode code = ExitCode::ok;
    const auto answer = ask(options, "POST", path, body, code);
    if (!answer) return code;
    if (options.output == Output::json)
        fmt::print("{}\n", answer->dump());
    else
        fmt::print("{}\n", text_of(*answer, "done"));
    return code;
}

}  // namespace

ExitCode status_command(const ControlOptions& options) {
    ExitCode code = ExitCode::ok;
    const auto status = ask(options, "GET", "/api/status", {}, code);
    if (!status) return code;
    if (options.output == Output::json)
        fmt::print("{}\n", status->dump(2));
    else
        print_status(*status);
    return code;
}

ExitCode poll_command(const PollOptions& options) {
    if (!options.wait) return act(options.control, "/api/poll");
    ExitCode code = ExitCode::ok;
    const auto taken = ask(options.control, "POST", "/api/poll", R"({"wait": true})", code);
    return taken ? wait_for_order(options.control, *taken, options.timeout) : code;
}

ExitCode log_level_command(const LogLevelOptions& options) {
    json body{{"level", options.level}};
    if (!options.plugin.empty()) body["plugin"] = options.plugin;
    return act(options.control, "/api/log-level", body.dump(-1, ' ', false, json::error_handler_t::replace));
}

ExitCode reload_command(const ReloadOptions& options) {
    return act(options.control, "/api/reload",
               options.plugin.empty() ? std::string() : json{{"plugin", options.plugin}}.dump());
}

}  // namespace sg::cli
