// sgeventd plugins, but for reload

#include "cli/plugins_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

namespace sg::cli {
namespace {

using Order = PluginsOptions::Act;
using nlohmann::json;

const char* name_of(Order act) {
    switch (act) {
        case Order::list:
            break;
        case Order::pause:
            return "pause";
        case Order::resume:
            return "resume";
        case Order::seek:
            return "seek";
        case Order::skip:
            return "skip";
        case Order::retry:
            return "retry";
        case Order::enable:
            return "enable";
        case Order::disable:
            return "disable";
    }
    return "list";
}

ExitCode list(const ControlOptions& options) {
    ExitCode code = ExitCode::ok;
    const auto status = ask(options, "GET", "/api/status", {}, code);
    if (!status) return code;
    if (options.output == Output::json)
        fmt::print("{}\n", status->at("plugins").dump(2));
    else
        print_plugins(status->at("plugins"));
    return code;
}

}  // namespace

std::optional<json> outcome_of_order(const ControlOptions& options, const json& taken,
                                     std::chrono::seconds at_most, ExitCode& code) {
    const auto number = taken.value("order", std::uint64_t{0});
    const auto path = "/api/orders/" + std::to_string(number);
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    while (true) {
        auto state = ask(options, "GET", path, {}, code);
        if (!state) return std::nullopt;
        const bool failed = state->contains("error");
        if (failed || state->value("over", false)) {
            code = failed ? ExitCode::data : ExitCode::ok;
            return state;
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            std::fprintf(stderr, "sgeventd: not done within %lld s; the daemon goes on with it\n",
                         static_cast<long long>(at_most.count()));
            code = ExitCode::unavailable;
            return std::nullopt;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

ExitCode wait_for_order(const ControlOptions& options, const json& taken, std::chrono::seconds at_most) {
    ExitCode code = ExitCode::ok;
    const auto state = outcome_of_order(options, taken, at_most, code);
    if (!state) return code;
    if (options.output == Output::json) fmt::print("{}\n", state->dump());
    if (code != ExitCode::ok)
        std::fprintf(stderr, "sgeventd: %s\n", state->at("error").get<std::string>().c_str());
    else if (options.output == Output::text)
        fmt::print("{}\n", state->value("done", ""));
    return code;
}

ExitCode plugins_command(const PluginsOptions& options) {
    if (options.act == Order::list) return list(options.control);
    json body{{"plugin", options.plugin}};
    if (options.act == Order::seek) body["to"] = options.to;
    ExitCode code = ExitCode::ok;
    const auto taken = ask(options.control, "POST", std::string("/api/plugins/") + name_of(options.act),
                           body.dump(-1, ' ', false, json::error_handler_t::replace), code);
    return taken ? wait_for_order(options.control, *taken, options.timeout) : code;
}

}  // namespace sg::cli
