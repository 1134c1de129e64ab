// The methods about the site itself: preferences, sessions, subscriptions, pages.

#include "sandbox/params.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

bool is_subscription(const Json& value) {
    if (value.is_null() || value.is_string()) return true;
    if (!value.is_array()) return false;
    for (const auto& element : value)
        if (!element.is_string()) return false;
    return true;
}

}  // namespace

Json SiteState::default_preferences() {
    return {{"date_component_order", "month_day"},
            {"duration_units", "days"},
            {"format_currency_fields_decimal_options", "$1,000.99"},
            {"format_currency_fields_display_dollar_sign", false},
            {"format_currency_fields_negative_options", "- $1,000"},
            {"format_date_fields", "08/04/22 OR 04/08/22 (depending on the Month order preference)"},
            {"format_float_fields", "9,999.99"},
            {"format_float_fields_rounding", "9.999999"},
            {"format_footage_fields", "10-05"},
            {"format_number_fields", "1,000"},
            {"format_time_hour_fields", "12 hour"},
            {"hours_per_day", 8.0},
            {"support_local_storage", true},
            {"enable_rv_integration", true},
            {"enable_shotgun_review_for_rv", false},
            {"view_master_settings", ""},
            {"creative_review_settings", ""}};
}

Json preferences_read(const Call& call) {
    const auto names = names_in(call.params, "prefs");
    if (names.empty()) return call.state.preferences;
    auto out = Json::object();
    for (const auto& name : names)
        if (const auto& value = member(call.state.preferences, name.c_str()); !value.is_null())
            out[name] = value;
    return out;
}

Json session_token(const Call& call) { return {{"session_id", call.authority.session_for(call.caller)}}; }

Json project_accessed(const Call& call) {
    const auto id = id_in(call.params, call, "project_id");
    auto* project = call.store.find("Project", id);
    if (project == nullptr || project->retired)
        refuse(fault_crud, "API {}() CRUD ERROR #3: Entity of type [Project] with id={} does not exist.",
               call.method, id);
    if (!member(call.params, "user_id").is_null()) {
        const auto user = id_in(call.params, call, "user_id");
        if (std::as_const(call.store).find("HumanUser", user) == nullptr)
            refuse(fault_crud,
                   "API {}() CRUD ERROR #3: Entity of type [HumanUser] with id={} does not exist.",
                   call.method, user);
    }
    project->fields["last_accessed_by_current_user"] = iso_text(call.time.now);
    return link_to("Project", id);
}

Json subscriptions_read(const Call& call) {
    auto out = Json::array();
    for (const auto& [id, user] : std::as_const(call.store).rows("HumanUser")) {
        if (user.retired) continue;
        const auto known = call.state.subscriptions.find(id);
        out.push_back({{"humanUserId", id},
                       {"subscription", known == call.state.subscriptions.end() ? Json() : known->second}});
    }
    return out;
}

Json subscriptions_create(const Call& call) {
    need_write(call, "HumanUser");
    const auto& users = member(call.params, "users");
    if (!users.is_array()) refuse(fault_invalid, "API {}() invalid/missing array 'users'", call.method);
    std::map<Id, Json> wanted;
    for (const auto& user : users) {
        const auto id = id_in(user, call, "humanUserId");
        const auto& subscription = member(user, "subscription");
        if (std::as_const(call.store).find("HumanUser", id) == nullptr)
            refuse(fault_crud,
                   "API {}() CRUD ERROR #3: Entity of type [HumanUser] with id={} does not exist.",
                   call.method, id);
        if (!is_subscription(subscription))
            refuse(fault_invalid, "API {}() invalid 'subscription': {}", call.method, subscription.dump());
        wanted[id] = subscription;
    }
    ++call.state.changes;
    for (auto& [id, subscription] : wanted) call.state.subscriptions[id] = std::move(subscription);
    return {{"status", "success"}};
}

/// Pages are made exportable by hand in the interface, which the sandbox does not have: none is.
Json export_page(const Call& call) {
    if (text_member(call.params, "format").empty())
        refuse(fault_invalid, "API export_page() 'format' missing");
    const auto& page = member(call.params, "page_id");
    if (!page.is_number_integer()) refuse(fault_invalid, "API export_page() 'page_id' missing");
    refuse(fault_invalid, "API export_page() Export for Page id={} not available", page.get<Id>());
}

}  // namespace sg::sandbox
