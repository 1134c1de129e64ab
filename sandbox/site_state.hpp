#pragma once
// What a site keeps beside its rows and its event log.

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "sandbox/entity_store.hpp"

namespace sg::sandbox {

/// A day of the work schedule that differs from the work week.
struct DayRule {
    bool working = true;
    Json description;
};

/// Threads: none of its own; the site's lock guards it.
struct SiteState {
    using Ref = std::pair<std::string, Id>;

    std::set<std::pair<Ref, Ref>> follows;  ///< who, what
    /// By date, project and user; 0 for a rule of no project or no user.
    std::map<std::tuple<std::string, Id, Id>, DayRule> schedule;
    std::map<Id, Json> subscriptions;  ///< by HumanUser
    Json preferences = default_preferences();

    std::uint64_t changes = 0;  ///< grows with each of them

    static Json default_preferences();
};

}  // namespace sg::sandbox
