#include "sandbox/authority.hpp"

#include <fmt/format.h>
#include <algorithm>

#include "sandbox/refusal.hpp"

namespace sg::sandbox {

std::string text_member(const Json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Record* Authority::who(std::string_view type, const char* field, const std::string& name) const {
    for (const auto& [id, record] : store_.rows(type))
        if (!record.retired && record.value(field) == name) return &record;
    return nullptr;
}

Caller Authority::person(const Json& auth, const std::string& login) {
    if (password_fault_ != 0)
        refuse(password_fault_, "Can't authenticate user '{}'. Passwords are not accepted on this site.",
               login);
    const auto* person = who("HumanUser", "login", login);
    const auto known = passwords_.find(login);
    const auto given = text_member(auth, "user_password");
    const bool good =
        person != nullptr && !given.empty() &&
        ((known != passwords_.end() && known->second == given) || person->value("password_proxy") == given);
    if (!good || person->value("sg_status_list") == "dis")
        refuse(fault_authentication, "Can't authenticate user '{}'.", login);
    if (const auto code = codes_.find(login); code != codes_.end() && !code->second.empty()) {
        if (text_member(auth, "auth_token") != code->second)
            refuse(106, "Two factor authentication failed for user '{}'.", login);
        code->second = "used up";
        ++changes_;
    }
    Caller caller;
    caller.user = {"HumanUser", person->id};
    return caller;
}

Caller Authority::script(const Json& auth, const std::string& name) {
    const auto* user = who("ApiUser", "firstname", name);
    const auto known = keys_.find(name);
    if (user == nullptr || known == keys_.end() || known->second != text_member(auth, "script_key"))
        refuse(fault_authentication, "Can't authenticate script '{}'", name);
    Caller caller;
    caller.user = {"ApiUser", user->id};
    caller.logs_events = user->value("generate_event_log_entries") != false;
    if (const auto may = permissions_.find(name); may != permissions_.end()) caller.may = may->second;
    return caller;
}

void Authority::sudo(Caller& caller, const std::string& login) {
    const auto* person = who("HumanUser", "login", login);
    if (caller.user.type == "HumanUser")
        refuse(fault_crud, "The user does not have permission to 'sudo': {}", login);
    if (person == nullptr)
        refuse(fault_authentication, "Cannot 'sudo' - unknown or retired user: '{}'", login);
    if (person->value("sg_status_list") == "dis")
        refuse(fault_authentication, "Cannot 'sudo' - inactive user account: '{}'", login);
    if (person->value("can_impersonate_this_user") == false &&
        person->fields.contains("can_impersonate_this_user"))
        refuse(fault_authentication,
               "Cannot 'sudo' - user account has 'can_impersonate_this_user' turned off: '{}'", login);
    caller.sudo_actual_user = store_.shown(link_to(caller.user.type, caller.user.id));
    caller.user = {"HumanUser", person->id};
    caller.logs_events = true;
}

Caller Authority::authenticate(const Json& auth) {
    const auto login = text_member(auth, "user_login"), name = text_member(auth, "script_name"),
               token = text_member(auth, "session_token"), session = text_member(auth, "session_uuid");
    Caller caller;
    if (!login.empty()) {
        caller = person(auth, login);
    } else if (!name.empty()) {
        caller = script(auth, name);
    } else if (!token.empty()) {
        caller.user = session_user(token);
        const auto* user = store_.find(caller.user.type, caller.user.id);
        if (user == nullptr || user->retired)
            refuse(fault_authentication, "Can't authenticate session token ending with '{}'",
                   token.substr(token.size() - std::min<std::size_t>(4, token.size())));
        if (caller.user.type == "ApiUser") {
            caller.logs_events = user->value("generate_event_log_entries") != false;
            if (const auto may = permissions_.find(user->name()); may != permissions_.end())
                caller.may = may->second;
        }
    } else {
        refuse(fault_authentication, "Missing or invalid authentication arguments");
    }
    if (!session.empty()) caller.session_uuid = session;
    if (const auto whom = text_member(auth, "sudo_as_login"); !whom.empty()) sudo(caller, whom);
    return caller;
}

std::string Authority::session_for(const Caller& caller) {
    for (const auto& [token, user] : sessions_)
        if (user == caller.user) return token;
    ++sessions_made_;
    ++changes_;
    // It need not be hard to guess: the site listens to loopback.
    const auto token = fmt::format("{:016x}{:016x}", 0x9e3779b97f4a7c15ULL * sessions_made_,
                                   0xbf58476d1ce4e5b9ULL * (sessions_made_ + 1));
    sessions_[token] = caller.user;
    return token;
}

std::string Authority::as_text() const {
    auto permissions = Json::object(), sessions = Json::object();
    for (const auto& [script, may] : permissions_)
        permissions[script] = {may.reads_events, may.writes, may.edits_schema};
    for (const auto& [token, user] : sessions_) sessions[token] = link_to(user.type, user.id);
    const Json all{{"permissions", permissions},
                   {"codes", codes_},
                   {"sessions", sessions},
                   {"sessions_made", sessions_made_},
                   {"password_fault", password_fault_}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool Authority::apply_text(std::string_view text) {
    if (text.empty()) return true;
    const auto all = Json::parse(text, nullptr, false);
    try {
        for (const auto& [script, may] : all.at("permissions").items())
            permissions_[script] = {may.at(0).get<bool>(), may.at(1).get<bool>(), may.at(2).get<bool>()};
        for (const auto& [token, user] : all.at("sessions").items())
            sessions_[token] = {user.at("type").get<std::string>(), user.at("id").get<Id>()};
        codes_ = all.at("codes").get<std::map<std::string, std::string>>();
        sessions_made_ = all.at("sessions_made").get<std::uint64_t>();
        password_fault_ = all.at("password_fault").get<int>();
        return true;
    } catch (const Json::exception&) {
        return false;
    }
}

LinkKey Authority::session_user(const std::string& token) const {
    const auto found = sessions_.find(token);
    return found == sessions_.end() ? LinkKey{} : found->second;
}

}  // namespace sg::sandbox
