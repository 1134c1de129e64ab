#include "sandbox/state_text.hpp"

namespace sg::sandbox {

std::string state_as_text(const SiteState& state) {
    auto follows = Json::array(), schedule = Json::array(), subscriptions = Json::array();
    for (const auto& [who, what] : state.follows)
        follows.push_back({who.first, who.second, what.first, what.second});
    for (const auto& [when, rule] : state.schedule) {
        const auto& [date, project, user] = when;
        schedule.push_back({date, project, user, rule.working, rule.description});
    }
    for (const auto& [user, subscription] : state.subscriptions)
        subscriptions.push_back(Json::array({user, subscription}));
    const Json all{{"follows", follows}, {"schedule", schedule}, {"subscriptions", subscriptions}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool apply_state_text(SiteState& state, std::string_view text) {
    if (text.empty()) return true;
    const auto all = Json::parse(text, nullptr, false);
    try {
        for (const auto& row : all.at("follows"))
            state.follows.insert({{row.at(0).get<std::string>(), row.at(1).get<Id>()},
                                  {row.at(2).get<std::string>(), row.at(3).get<Id>()}});
        for (const auto& row : all.at("schedule"))
            state.schedule[{row.at(0).get<std::string>(), row.at(1).get<Id>(), row.at(2).get<Id>()}] = {
                row.at(3).get<bool>(), row.at(4)};
        for (const auto& row : all.at("subscriptions")) state.subscriptions[row.at(0).get<Id>()] = row.at(1);
        return true;
    } catch (const Json::exception&) {
        return false;
    }
}

}  // namespace sg::sandbox
