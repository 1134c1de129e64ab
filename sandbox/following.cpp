// follow, unfollow, followers and following.

#include "sandbox/params.hpp"
#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

SiteState::Ref ref(const Record& row) { return {row.def->type, row.id}; }
Json link(const SiteState::Ref& to) { return link_to(to.first, to.second); }

/// Who follows what, of the parameters.
std::pair<SiteState::Ref, SiteState::Ref> pair_in(const Call& call) {
    const auto& user = row_in(call.params, call, "user");
    if (user.def->type != "HumanUser")
        refuse(fault_invalid, "API {}() 'user' is expected to be a HumanUser, not a {}", call.method,
               user.def->type);
    need_write(call, user.def->type);
    return {ref(user), ref(row_in(call.params, call, "entity"))};
}

}  // namespace

Json follow(const Call& call) {
    const auto pair = pair_in(call);
    if (call.state.follows.insert(pair).second) ++call.state.changes;
    return {{"followed", true}, {"user", link(pair.first)}, {"entity", link(pair.second)}};
}

Json unfollow(const Call& call) {
    const auto pair = pair_in(call);
    call.state.changes += call.state.follows.erase(pair);
    return {{"unfollowed", true}, {"user", link(pair.first)}, {"entity", link(pair.second)}};
}

nlohmann::ordered_json followers(const Call& call) {
    const auto entity = ref(row_in(call.params, call, "entity"));
    auto out = nlohmann::ordered_json::array();
    for (const auto& [user, what] : call.state.follows) {
        const auto* row = std::as_const(call.store).find(user.first, user.second);
        if (what == entity && row != nullptr && !row->retired)
            out.push_back(full_link({user.first, user.second}, call.store));
    }
    return out;
}

Json following(const Call& call) {
    const auto user = ref(row_in(call.params, call, "user"));
    const auto* project = maybe_row_in(call.params, call, "project");
    const auto type = text_member(call.params, "entity_type");
    if (!type.empty()) static_cast<void>(type_in(call.params, call, "entity_type"));
    auto out = Json::array();
    for (const auto& [who, what] : call.state.follows) {
        const auto* row = std::as_const(call.store).find(what.first, what.second);
        if (who != user || row == nullptr || row->retired || (!type.empty() && what.first != type)) continue;
        if (project != nullptr && link_key(row->value("project")).id != project->id) continue;
        out.push_back(link(what));
    }
    return out;
}

}  // namespace sg::sandbox
