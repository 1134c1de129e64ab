#pragma once
// People: who they are, what they follow, when they work, what they are licensed for.
//
// Threads, blocking and errors of every function here are the client's. Entities are links, `{"type", "id"}`.
// What a site may be too old for is refused with `not_supported` before it is sent; the first such call asks
// for the site's version.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "site/client.hpp"

namespace sg::site {

/// Twice is the same as once.
Result<nlohmann::json> follow(Client& client, const nlohmann::json& user, const nlohmann::json& entity,
                              const CallOptions& options);
Result<nlohmann::json> unfollow(Client& client, const nlohmann::json& user, const nlohmann::json& entity,
                                const CallOptions& options);

/// Who follows an entity, and what somebody follows. `project` and `entity_type` may be null.
Result<nlohmann::json> followers(Client& client, const nlohmann::json& entity, const CallOptions& options);
Result<nlohmann::json> following(Client& client, const nlohmann::json& user, const nlohmann::json& project,
                                 const nlohmann::json& entity_type, const CallOptions& options);

/// By day, both ends included. The studio's, a project's or a person's: one of `project` and `user` is null,
/// or both. An id that does not exist reads as the studio's.
Result<nlohmann::json> work_schedule_read(Client& client, const nlohmann::json& start_date,
                                          const nlohmann::json& end_date, const nlohmann::json& project,
                                          const nlohmann::json& user, const CallOptions& options);

struct WorkScheduleChange {
    nlohmann::json date;  ///< `2026-12-31`
    bool working = true;
    nlohmann::json description;        ///< text or null
    nlohmann::json project, user;      ///< as above
    nlohmann::json recalculate_field;  ///< `due_date`, `duration`, or null: as the site prefers
};
/// Many Tasks may move.
Result<nlohmann::json> work_schedule_update(Client& client, const WorkScheduleChange& change,
                                            const CallOptions& options);

/// The token of the caller's session, which is made if there is none.
Result<std::string> get_session_token(Client& client, const CallOptions& options);

/// The session to use from now on in place of a login, a password and a code that is good for one call.
Result<Session> log_in(Client& client, const User& user, CallOptions options);

/// Whether a login, a password and a code are right: the active person's row (`id`, `login`), or null where
/// the site does not accept them (code 102). What makes passwords useless at all (106, 108, 110) is an
/// error. `options` name no credential that counts.
Result<nlohmann::json> authenticate_human_user(Client& client, const User& user, CallOptions options);

/// Notes that a person has looked at a project. `user` null: the person acted as, or the caller.
Result<nlohmann::json> update_project_last_accessed(Client& client, const nlohmann::json& project,
                                                    const nlohmann::json& user, const CallOptions& options);

/// `{"humanUserId", "subscription"}` objects, whichever of its two forms the site answers in.
Result<nlohmann::json> user_subscriptions_read(Client& client, const CallOptions& options);

/// `users` is a list of such objects; whether the site did it.
Result<bool> user_subscriptions_create(Client& client, const nlohmann::json& users,
                                       const CallOptions& options);

}  // namespace sg::site
