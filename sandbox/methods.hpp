#pragma once
// The methods of the API: their table, and the functions behind it.

#include <map>
#include <string>
#include <string_view>

#include "sandbox/authority.hpp"
#include "sandbox/filter.hpp"
#include "sandbox/site_state.hpp"
#include "sandbox/write.hpp"

namespace sg::sandbox {

/// A call that was authenticated, and the site that it acts on.
struct Call {
    std::string_view method;
    const Json& params;  ///< the second element of the envelope's `params`; an empty object if there is none
    const Caller& caller;
    SiteTime time;
    EntityStore& store;
    EventLog& log;
    Writer& writer;
    SiteState& state;
    Authority& authority;

    Scope scope() const { return {store, log, time, method}; }
};

/// Makes the text of `results`. Throws `Refusal`.
using Method = std::string (*)(const Call&);

/// Every method but `info`, which needs no credentials. One line each in methods.cpp.
const std::map<std::string, Method, std::less<>>& methods();

// Each answers the method of its name, unless said otherwise. Throw `Refusal`.
std::string read_rows(const Call& call);
Json create(const Call& call);
Json update(const Call& call);
Json remove(const Call& call);  ///< `delete`
Json revive(const Call& call);
Json batch(const Call& call);
nlohmann::ordered_json summarize(const Call& call);
Json text_search(const Call& call);  ///< `query_display_name_cache`
Json nav_expand(const Call& call);
Json nav_search(const Call& call);
nlohmann::ordered_json activity_stream(const Call& call);
nlohmann::ordered_json note_thread(const Call& call);  ///< `note_thread_contents`
Json follow(const Call& call);
Json unfollow(const Call& call);
nlohmann::ordered_json followers(const Call& call);
Json following(const Call& call);
Json work_schedule_read(const Call& call);
Json work_schedule_update(const Call& call);
Json schema_read(const Call& call);
Json schema_entity_read(const Call& call);
Json schema_field_read(const Call& call);
Json schema_field_create(const Call& call);
Json schema_field_update(const Call& call);
Json schema_field_delete(const Call& call);
Json preferences_read(const Call& call);
Json session_token(const Call& call);       ///< `get_session_token`
Json project_accessed(const Call& call);    ///< `update_project_last_accessed_by_current_user`
Json subscriptions_read(const Call& call);  ///< `user_subscriptions_read`
Json subscriptions_create(const Call& call);
Json export_page(const Call& call);

}  // namespace sg::sandbox
