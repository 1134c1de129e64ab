#include "admin/desk.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "admin/metrics.hpp"
#include "admin/page_files.hpp"
#include "util/nearest.hpp"

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

/// Takes as long wherever they differ.
bool is_same(const std::string& given, const std::string& token) {
    return given.size() == token.size() && ::CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

/// Without what has to be read from the event: whoever looks at the page asks for all of them.
nlohmann::json in_short(const std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>>& letters) {
    constexpr std::size_t most = 1000;
    auto out = nlohmann::json::array();
    if (letters) {
        for (const auto& letter : *letters) {
            if (out.size() == most) break;
            const auto& errors = letter->history.errors;
            out.push_back({{"plugin", letter->plugin},
                           {"callback", letter->callback},
                           {"event", letter->event},
                           {"event_type", letter->type},
                           {"attribute", letter->attribute},
                           {"attempts", letter->attempts},
                           {"died", iso_time(letter->died)},
                           {"reason", letter->why},
                           {"error", errors.empty() ? "" : errors.back().text}});
        }
    }
    const auto there_are = letters ? letters->size() : 0;
    return {{"letters", std::move(out)}, {"in_all", there_are}};
}

/// Nothing: not a choice, or one of everything where that has to be said.
std::optional<checkpoint::LetterChoice> choice_of(const std::string& text, bool all_by_default) {
    const auto body = text.empty() ? nlohmann::json::object() : nlohmann::json::parse(text, nullptr, false);
    if (!body.is_object()) return std::nullopt;
    checkpoint::LetterChoice choice;
    bool said = all_by_default;
    for (const auto& [key, value] : body.items()) {
        if (key == "plugin" && value.is_string())
            choice.plugin = value.get<std::string>();
        else if (key == "callback" && value.is_string())
            choice.callback = value.get<std::string>();
        else if (key == "event" && value.is_number_integer())
            choice.event = value.get<EventId>();
        else if (key != "all" || value != true)
            return std::nullopt;
        said = true;
    }
    return said ? std::optional(choice) : std::nullopt;
}

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
    if (path == "/api/dead-letters") return json(200, in_short(controls_.dead_letters()));
    constexpr std::string_view orders = "/api/orders/";
    if (path.rfind(orders, 0) == 0) return order_state(path.substr(orders.size()));
    if (path == "/api/live") return {200, "text/event-stream", "retry: 2000\n\n", true};
    return problem(404, "nothing is here");
}

std::optional<Response> Desk::refused(const Request& request) const {
    if (request.caller.by_socket) return std::nullopt;
    if (token_.empty() || request.path != "/api/dead-letters/retry")
        return problem(403, "on the port the daemon can only be looked at");
    if (is_same(request.token, token_)) return std::nullopt;
    controls_.on_wrong_token(request.caller.to_string());
    return problem(401, "this is not the token of the configuration (admin.token)");
}

Response Desk::act(const Request& request) const {
    if (auto answer = refused(request)) return *answer;
    const auto caller = request.caller.to_string() + (request.caller.by_socket ? "" : ", with the token");
    const auto& path = request.path;
    if (path == "/api/poll") return poll(request, caller);
    if (path == "/api/log-level") return log_level(request, caller);
    if (path == "/api/reload") return reload(request, caller);
    if (path.rfind("/api/plugins/", 0) == 0) return steer(request, caller);
    if (path.rfind("/api/dead-letters/", 0) == 0) return letters(request, caller);
    return problem(404, "nothing is here");
}

Response Desk::letters(const Request& request, const std::string& caller) const {
    const auto act = std::string_view(request.path).substr(std::string_view("/api/dead-letters/").size());
    if (act != "list" && act != "retry" && act != "drop") return problem(404, "nothing is here");
    const auto choice = choice_of(request.body, act == "list");
    if (!choice)
        return problem(400, R"(expected {"plugin": NAME, "event": ID, "callback": NAME}, or {"all": true})");
    std::vector<checkpoint::DeadLetterPtr> chosen;
    if (const auto all = controls_.dead_letters())
        std::copy_if(all->begin(), all->end(), std::back_inserter(chosen),
                     [&](const auto& letter) { return choice->matches(*letter); });
    if (act == "list") {
        auto out = nlohmann::json::array();
        for (const auto& letter : chosen) out.push_back(shown(*letter));
        return json(200, {{"letters", std::move(out)}});
    }
    if (chosen.empty()) return problem(404, "there is no such dead letter");
    if (act == "retry")
        controls_.retry_letters(*choice, caller);
    else
        controls_.drop_letters(*choice, caller);
    return json(202, {{"done", fmt::format("{} dead letters {}", chosen.size(),
                                           act == "retry" ? "are tried again" : "dropped")},
                      {"letters", chosen.size()}});
}

Response Desk::poll(const Request& request, const std::string& caller) const {
    if (request.body.empty()) {
        controls_.poll_now(caller);
        return json(202, {{"done", "polling"}});
    }
    if (nlohmann::json::parse(request.body, nullptr, false) != nlohmann::json{{"wait", true}})
        return problem(400, R"(expected no body, or {"wait": true})");
    return json(202, {{"order", controls_.order({}, caller)}});
}

Response Desk::log_level(const Request& request, const std::string& caller) const {
    static constexpr std::array<std::pair<std::string_view, LogLevel>, 5> levels{
        {{"trace", LogLevel::trace},
         {"debug", LogLevel::debug},
         {"info", LogLevel::info},
         {"warning", LogLevel::warning},
         {"error", LogLevel::error}}};
    const auto body = nlohmann::json::parse(request.body, nullptr, false);
    const auto word = [&](const char* key) {
        return body.is_object() && body.contains(key) && body.at(key).is_string()
                   ? body.at(key).get<std::string>()
                   : std::string();
    };
    const auto plugin = word("plugin"), name = word("level");
    const auto level =
        std::find_if(levels.begin(), levels.end(), [&](const auto& one) { return one.first == name; });
    if (level == levels.end() || body.size() != (plugin.empty() ? 1U : 2U))
        return problem(400, R"(expected {"level": "trace|debug|info|warning|error", "plugin": NAME})");
    if (!plugin.empty())
        if (auto refused = unknown(plugin)) return *refused;
    controls_.set_log_level(level->second, plugin, caller);
    return json(
        202, {{"done", fmt::format("{} logs {} and above", plugin.empty() ? "the daemon" : plugin, name)}});
}

Response Desk::steer(const Request& request, const std::string& caller) const {
    const auto name = std::string_view(request.path).substr(std::string_view("/api/plugins/").size());
    static const std::map<std::string_view, Order::Act> acts{
        {"pause", Order::Act::pause},     {"resume", Order::Act::resume},   {"seek", Order::Act::seek},
        {"skip", Order::Act::skip},       {"retry", Order::Act::retry},     {"enable", Order::Act::enable},
        {"disable", Order::Act::disable}, {"explain", Order::Act::explain},
    };
    const auto act = acts.find(name);
    if (act == acts.end()) return problem(404, "nothing is here");
    const auto order = read_order(act->second, nlohmann::json::parse(request.body, nullptr, false));
    if (!order) return problem(400, order.error().message);
    if (auto refused = unknown(order->plugin)) return *refused;
    return json(202, {{"order", controls_.order(*order, caller)}});
}

Response Desk::order_state(const std::string& number) const {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    const bool is_number = error == std::errc() && end == number.data() + number.size();
    const auto state = is_number ? controls_.order_state(value) : std::nullopt;
    if (!state) return problem(404, "there is no such order");
    nlohmann::json answer = state->answer.is_object() ? state->answer : nlohmann::json::object();
    answer["order"] = value;
    answer["over"] = state->is_over;
    return json(200, answer);
}

/// What is answered where there is no such plugin.
std::optional<Response> Desk::unknown(const std::string& plugin) const {
    std::vector<std::string> names;
    if (const auto snapshot = controls_.snapshot())
        for (const auto& one : snapshot->plugins) names.push_back(one.plugin);
    if (std::find(names.begin(), names.end(), plugin) != names.end()) return std::nullopt;
    const auto near = nearest(plugin, names);
    return problem(404, "no plugin is called " + plugin +
                            (near.empty() ? std::string() : "; did you mean '" + near + "'?"));
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
    if (!plugin.empty())
        if (auto refused = unknown(plugin)) return *refused;
    controls_.reload(plugin, caller);
    return json(202, {{"done", plugin.empty() ? "reloading the configuration and every plugin"
                                              : "reloading " + plugin}});
}

}  // namespace sg::admin
