#include "service/write_intercept.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace sg::service {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 18> reads{"find",
                                                 "summarize",
                                                 "text_search",
                                                 "nav_expand",
                                                 "nav_search_string",
                                                 "nav_search_entity",
                                                 "activity_stream_read",
                                                 "note_thread_read",
                                                 "followers",
                                                 "following",
                                                 "work_schedule_read",
                                                 "schema_read",
                                                 "schema_entity_read",
                                                 "schema_field_read",
                                                 "preferences_read",
                                                 "info",
                                                 "download_attachment",
                                                 "user_subscriptions_read"};

json row(const json& type, const json& id, const json& data) {
    json made = data.is_object() ? data : json::object();
    made["type"] = type;
    made["id"] = id;
    return made;
}

/// What the site would have said to one part of a batch; null for what is not known.
json answer_to_part(const json& part) {
    const auto kind = part.value("request_type", "");
    const auto type = part.value("entity_type", json());
    if (kind == "create") return row(type, 0, part.value("data", json::object()));
    if (kind == "update")
        return row(type, part.value("entity_id", json()), part.value("data", json::object()));
    return kind == "delete" ? json(true) : json();
}

/// nullopt: it cannot be made up.
std::optional<json> answer_to(const std::string& method, const json& arguments) {
    const auto type = arguments.value("type", json());
    if (method == "create") return row(type, 0, arguments.value("data", json::object()));
    if (method == "update")
        return row(type, arguments.value("id", json()), arguments.value("data", json::object()));
    if (method == "delete" || method == "revive" || method == "schema_field_update" ||
        method == "schema_field_delete")
        return json(true);
    if (method == "follow" || method == "unfollow" || method == "work_schedule_update" ||
        method == "update_project_last_accessed" || method == "user_subscriptions_create" ||
        method == "share_thumbnail")
        return json::object();
    if (method != "batch") return std::nullopt;
    json answers = json::array();
    const auto parts = arguments.find("requests");
    if (parts == arguments.end() || !parts->is_array()) return std::nullopt;
    for (const auto& part : *parts) {
        if (!part.is_object()) return std::nullopt;
        answers.push_back(answer_to_part(part));
    }
    return answers;
}

host::SiteAnswer text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

bool changes_nothing(std::string_view method) {
    return std::find(reads.begin(), reads.end(), method) != reads.end();
}

void WriteIntercept::start(host::SiteRequest request, std::stop_token stop,
                           std::function<void(host::SiteAnswer)> done) {
    if (changes_nothing(request.method))
        return next_.start(std::move(request), std::move(stop), std::move(done));
    IntendedWrite write{request.plugin, request.callback,
                        request.method, json::parse(request.arguments, nullptr, false),
                        nullptr,        request.event};
    if (!write.arguments.is_object()) return done(fail(Cause::invalid, "the arguments are not an object"));
    if (request.method == "update")
        return update(std::move(request), std::move(write), std::move(stop), std::move(done));
    told_(write);
    if (const auto answer = answer_to(write.method, write.arguments)) return done(text_of(*answer));
    done(fail(Cause::not_supported, "{} cannot be answered in a dry run: it was not sent", write.method));
}

/// The fields as they are now are asked for, so that both sides can be shown.
void WriteIntercept::update(host::SiteRequest request, IntendedWrite write, std::stop_token stop,
                            std::function<void(host::SiteAnswer)> done) {
    json fields = json::array();
    const auto data = write.arguments.value("data", json::object());
    for (const auto& [name, unused] : data.items()) fields.push_back(name);
    auto asking = std::move(request);
    asking.method = "find";
    asking.arguments = json{
        {"type", write.arguments.value("type", json())},
        {"filters", {{"id", "is", write.arguments.value("id", json())}}},
        {"fields", std::move(fields)},
        {"limit", 1}}.dump(-1, ' ', false, json::error_handler_t::replace);
    next_.start(std::move(asking), std::move(stop),
                [this, write = std::move(write), done = std::move(done)](host::SiteAnswer now) mutable {
                    const auto rows = now ? json::parse(*now, nullptr, false) : json();
                    if (rows.is_array() && !rows.empty()) write.before = rows.front();
                    told_(write);
                    done(text_of(*answer_to(write.method, write.arguments)));
                });
}

}  // namespace sg::service
