#include "site/methods_people.hpp"

#include "site/parameters.hpp"

namespace sg::site {

using nlohmann::json;

namespace {

Result<json> follow_or_not(Client& client, const char* method, const json& user, const json& entity,
                           const CallOptions& options) {
    auto who = link_parameter(user, "user"), what = link_parameter(entity, "entity");
    if (!who) return who;
    if (!what) return what;
    if (auto fine = client.require(gates::followers, options); !fine) return tl::unexpected(fine.error());
    return client.call(method, {{"user", std::move(*who)}, {"entity", std::move(*what)}}, Repeat::never,
                       options);
}

/// Whose schedule it is.
Result<json> schedule_of(Client& client, const json& project, const json& user, const CallOptions& options) {
    auto of_project = link_or_null(project, "project"), of_user = link_or_null(user, "user");
    if (!of_project) return of_project;
    if (!of_user) return of_user;
    if (!of_project->is_null() && !of_user->is_null())
        return fail(Cause::invalid, "a work schedule is a project's or a person's, not both");
    if (auto fine = client.require(gates::work_schedule, options); !fine) return tl::unexpected(fine.error());
    return json{{"project", std::move(*of_project)}, {"user", std::move(*of_user)}};
}

}  // namespace

Result<json> follow(Client& client, const json& user, const json& entity, const CallOptions& options) {
    return follow_or_not(client, "follow", user, entity, options);
}

Result<json> unfollow(Client& client, const json& user, const json& entity, const CallOptions& options) {
    return follow_or_not(client, "unfollow", user, entity, options);
}

Result<json> followers(Client& client, const json& entity, const CallOptions& options) {
    auto what = link_parameter(entity, "entity");
    if (!what) return what;
    if (auto fine = client.require(gates::followers, options); !fine) return tl::unexpected(fine.error());
    return client.call("followers", {{"entity", std::move(*what)}}, Repeat::harmless, options);
}

Result<json> following(Client& client, const json& user, const json& project, const json& entity_type,
                       const CallOptions& options) {
    auto who = link_parameter(user, "user"), where = link_or_null(project, "project");
    if (!who) return who;
    if (!where) return where;
    if (!entity_type.is_null() && !entity_type.is_string())
        return fail(Cause::invalid, "'entity_type' has to be text");
    if (auto fine = client.require(gates::following, options); !fine) return tl::unexpected(fine.error());
    json parameters{{"user", std::move(*who)}};
    if (!where->is_null()) parameters["project"] = std::move(*where);
    if (!entity_type.is_null()) parameters["entity_type"] = entity_type;
    return client.call("following", std::move(parameters), Repeat::harmless, options);
}

Result<json> work_schedule_read(Client& client, const json& start_date, const json& end_date,
                                const json& project, const json& user, const CallOptions& options) {
    auto start = date_parameter(start_date, "start_date"), end = date_parameter(end_date, "end_date");
    if (!start) return tl::unexpected(std::move(start.error()));
    if (!end) return tl::unexpected(std::move(end.error()));
    auto parameters = schedule_of(client, project, user, options);
    if (!parameters) return parameters;
    (*parameters)["start_date"] = std::move(*start);
    (*parameters)["end_date"] = std::move(*end);
    return client.call("work_schedule_read", std::move(*parameters), Repeat::harmless, options);
}

Result<json> work_schedule_update(Client& client, const WorkScheduleChange& change,
                                  const CallOptions& options) {
    auto date = date_parameter(change.date, "date");
    if (!date) return tl::unexpected(std::move(date.error()));
    if (!change.description.is_null() && !change.description.is_string())
        return fail(Cause::invalid, "'description' has to be text");
    const auto& field = change.recalculate_field;
    if (!field.is_null() && field != "due_date" && field != "duration")
        return fail(Cause::invalid, "'recalculate_field' has to be due_date or duration");
    auto parameters = schedule_of(client, change.project, change.user, options);
    if (!parameters) return parameters;
    (*parameters)["date"] = std::move(*date);
    (*parameters)["working"] = change.working;
    (*parameters)["description"] = change.description;
    (*parameters)["recalculate_field"] = field;
    return client.call("work_schedule_update", std::move(*parameters), Repeat::never, options);
}

Result<std::string> get_session_token(Client& client, const CallOptions& options) {
    const auto* user = std::get_if<User>(&options.credential);
    const bool used_up = user != nullptr && !user->auth_token.empty();
    auto answer =
        client.call("get_session_token", nullptr, used_up ? Repeat::never : Repeat::harmless, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    const auto token = answer->is_object() ? answer->find("session_id") : answer->end();
    if (token == answer->end() || !token->is_string() || token->get_ref<const std::string&>().empty())
        return fail(Cause::bad_answer, "calling get_session_token: the answer holds no session_id");
    return token->get<std::string>();
}

Result<Session> log_in(Client& client, const User& user, CallOptions options) {
    options.credential = user;
    auto token = get_session_token(client, options);
    if (!token) return fail(std::move(token.error()), "logging in");
    return Session{std::move(*token)};
}

Result<json> authenticate_human_user(Client& client, const User& user, CallOptions options) {
    if (user.login.empty() || user.password.empty())
        return fail(Cause::invalid, "a login and a password are needed");
    options.credential = user;
    options.sudo_as_login.clear();  // the question is about this person
    options.attempts = 1;           // a code is used up, and a wrong password is counted
    Query query;
    query.type = "HumanUser";
    query.filters =
        json::array({json::array({"sg_status_list", "is", "act"}), json::array({"login", "is", user.login})});
    query.fields = {"id", "login"};
    auto row = client.find_one(query, options);
    if (!row && row.error().site_code == 102) return json();
    return row;
}

Result<json> update_project_last_accessed(Client& client, const json& project, const json& user,
                                          const CallOptions& options) {
    auto where = link_parameter(project, "project"), who = link_or_null(user, "user");
    if (!where) return where;
    if (!who) return who;
    if (auto fine = client.require(gates::last_accessed, options); !fine) return tl::unexpected(fine.error());
    json parameters{{"project_id", (*where)["id"]}};
    const auto* caller = std::get_if<User>(&options.credential);
    const auto& login = caller != nullptr ? caller->login : options.sudo_as_login;
    if (!who->is_null()) {
        parameters["user_id"] = (*who)["id"];
    } else if (!login.empty()) {
        Query query;
        query.type = "HumanUser";
        query.filters = json::array({json::array({"login", "is", login})});
        const auto row = client.find_one(query, options);
        if (!row) return fail(row.error(), "looking for the person '{}'", login);
        if (row->is_object() && row->contains("id")) parameters["user_id"] = (*row)["id"];
    }
    return client.call("update_project_last_accessed_by_current_user", std::move(parameters), Repeat::never,
                       options);
}

Result<json> user_subscriptions_read(Client& client, const CallOptions& options) {
    auto answer = client.call("user_subscriptions_read", nullptr, Repeat::harmless, options);
    if (!answer || !answer->is_object()) return answer;
    json list = json::array();
    for (const auto& [id, subscription] : answer->items()) {
        const auto number = json::parse(id, nullptr, false);
        if (!number.is_number_integer()) return fail(Cause::bad_answer, "a subscription is nobody's");
        list.push_back({{"humanUserId", number}, {"subscription", subscription}});
    }
    return list;
}

Result<bool> user_subscriptions_create(Client& client, const json& users, const CallOptions& options) {
    if (!users.is_array()) return fail(Cause::invalid, "'users' has to be a list");
    for (const auto& user : users) {
        const bool fine = user.is_object() && user.size() == 2 && user.contains("subscription") &&
                          user.contains("humanUserId") && user["humanUserId"].is_number_integer();
        if (!fine)
            return fail(Cause::invalid, "'users' has to hold objects with humanUserId and subscription");
    }
    auto answer = client.call("user_subscriptions_create", {{"users", users}}, Repeat::never, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    return answer->is_object() && answer->contains("status") && (*answer)["status"] == "success";
}

}  // namespace sg::site
