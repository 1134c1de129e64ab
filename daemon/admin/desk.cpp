#include "admin/desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "admin/metrics.hpp"
#include "admin/page_files.hpp"

namespace sg::admin {
namespace {

constexpr std::chrono::milliseconds stuck_after{10'000};

Response text(unsigned status, std::string body) {
    return {status, "text/plain; charset=utf-8", std::move(body), false};
}

Response json(unsigned status, const nlohmann::json& body) {
    return {status, "application/json",
            body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", false};
}

Response problem(unsigned status, const std::string& what) { return json(status, {{"error", what}}); }

}  // namespace

Response Desk::answer(const Request& request) const {
    if (request.method == "GET" || request.method == "HEAD") return look(request);
    if (request.method == "POST") return act(request);
    return problem(405, "only GET and POST are answered");
}

Response Desk::look(const Request& request) const {
    const auto& path = request.path;
    if (path == "/healthz") {
        const auto age = controls_.loop_age();
        return age < stuck_after ? text(200, "alive\n")
                                 : text(503, fmt::format("the loop has not turned for {} ms\n", age.count()));
    }
    for (const auto& file : page_files())
        if (path == file.path) return {200, std::string(file.type), std::string(file.text), false};
    const auto snapshot = controls_.snapshot();
    if (!snapshot) return problem(503, "the daemon is starting");
    if (path == "/readyz") {
        const auto ready = readiness(*snapshot);
        return ready.ready ? text(200, "ready\n") : text(503, ready.why + "\n");
    }
    if (path == "/metrics")
        return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(*snapshot), false};
    if (path == "/api/status") return json(200, to_json(*snapshot));
    if (path == "/api/live") return {200, "text/event-stream", "retry: 2000\n\n", true};
    return problem(404, "nothing is here");
}

Response Desk::act(const Request& request) const {
    if (!request.caller.by_socket) return problem(403, "on the port the daemon can only be looked at");
    const auto caller = request.caller.to_string();
    const auto& path = request.path;
    if (path == "/api/poll") {
        controls_.poll_now(caller);
        return json(202, {{"done", "polling"}});
    }
    if (path == "/api/reload") return reload(request, caller);
    return problem(404, "nothing is here");
}

Response Desk::reload(const Request& request, const std::string& caller) const {
    std::string plugin;
    if (!request.body.empty()) {
        const auto body = nlohmann::json::parse(request.body, nullptr, false);
        const auto named = body.is_object() ? body.find("plugin") : body.end();
        if (!body.is_object() || named == body.end() || !named->is_string() || body.size() != 1)
            return problem(400, R"(expected no body, or {"plugin": NAME})");
        plugin = named->get<std::string>();
    }
    const auto snapshot = controls_.snapshot();
    const bool is_known =
        plugin.empty() || (snapshot && std::any_of(snapshot->plugins.begin(), snapshot->plugins.end(),
                                                   [&](const auto& one) { return one.plugin == plugin; }));
    if (!is_known) return problem(404, "no plugin is called " + plugin);
    controls_.reload(plugin, caller);
    return json(202, {{"done", plugin.empty() ? "reloading every plugin" : "reloading " + plugin}});
}

}  // namespace sg::admin
