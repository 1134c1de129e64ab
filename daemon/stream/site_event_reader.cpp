#include "stream/site_event_reader.hpp"

#include <fmt/chrono.h>

#include <utility>

namespace sg::stream {
namespace {

using nlohmann::json;

json condition(const char* relation, json values) {
    return {{"path", "id"}, {"relation", relation}, {"values", std::move(values)}};
}

json created(const char* relation, std::chrono::sys_seconds time) {
    return {{"path", "created_at"},
            {"relation", relation},
            {"values", json::array({fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                                fmt::gmtime(std::chrono::system_clock::to_time_t(time)))})}};
}

/// The site knows no "at or after"; its times are whole seconds.
json created_since(std::chrono::sys_seconds time) {
    return created("greater_than", time - std::chrono::seconds(1));
}

json filters_of(const EventQuery& query) {
    if (query.kind == EventQuery::Kind::since)
        return {{"logical_operator", "and"}, {"conditions", {created_since(query.since)}}};
    if (query.kind == EventQuery::Kind::window) {
        json conditions = {condition("greater_than", json::array({query.after})), created_since(query.since)};
        if (query.until) conditions.push_back(created("less_than", *query.until));
        return {{"logical_operator", "and"}, {"conditions", std::move(conditions)}};
    }
    if (query.kind != EventQuery::Kind::within)
        return {{"logical_operator", "and"},
                {"conditions", {condition("greater_than", json::array({query.after}))}}};
    auto conditions = json::array();
    for (const auto& range : query.ranges)
        conditions.push_back(range.first == range.last
                                 ? condition("is", json::array({range.first}))
                                 : condition("between", json::array({range.first, range.last})));
    return {{"logical_operator", "or"}, {"conditions", std::move(conditions)}};
}

site::ReadRequest request_of(const EventQuery& query) {
    site::ReadRequest request;
    request.query.type = "EventLogEntry";
    request.query.filters = filters_of(query);
    request.query.fields = {"id",   "event_type", "attribute_name", "meta",      "entity",
                            "user", "project",    "session_uuid",   "created_at"};
    if (query.fields)
        request.query.fields.insert(request.query.fields.end(), query.fields->begin(), query.fields->end());
    const char* direction = query.kind == EventQuery::Kind::newest ? "desc" : "asc";
    request.query.order = json::array({{{"field_name", "id"}, {"direction", direction}}});
    request.page_size = query.limit;
    return request;
}

}  // namespace

SiteEventReader::SiteEventReader(site::Client& client, site::Caller caller)
    : client_(client), caller_(std::move(caller)) {}
SiteEventReader::~SiteEventReader() = default;

void SiteEventReader::set_caller(site::Caller caller) {
    std::lock_guard lock(mutex_);
    caller_ = std::move(caller);
}

Result<Fetched> SiteEventReader::fetch(const EventQuery& query, std::stop_token stop) {
    site::CallOptions options;
    std::string sudo_as_login;
    {
        std::lock_guard lock(mutex_);
        options.credential = caller_.credential;
        sudo_as_login = caller_.sudo_as_login;
    }
    options.stop = std::move(stop);
    options.attempts = 1;  // the stream has its own pauses, and says what it waits for
    auto credential = client_.logged_in(options);
    if (!credential) return tl::unexpected<Failure>(std::move(credential.error()));
    options.credential = std::move(*credential);
    options.sudo_as_login = std::move(sudo_as_login);
    auto answer = client_.read_raw(request_of(query), options);
    if (!answer) return tl::unexpected<Failure>(std::move(answer.error()));
    return Fetched{std::move(answer->body), answer->date};
}

}  // namespace sg::stream
