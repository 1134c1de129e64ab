#include "site/logins.hpp"

namespace sg::site {

Result<Session> Client::Logins::session_of(const User& user, std::stop_token stop,
                                           const std::function<Result<Session>()>& log_in) {
    const Key key{user.login, user.auth_token};
    std::unique_lock lock(mutex_);
    const auto settled = [&] {
        const auto found = sessions_.find(key);
        return found == sessions_.end() || found->second.has_value();
    };
    if (!changed_.wait(lock, stop, settled)) return fail(Cause::stopped, "logging in: stopped");
    if (const auto known = sessions_.find(key); known != sessions_.end()) return *known->second;
    sessions_.emplace(key, std::nullopt);
    lock.unlock();
    auto session = log_in();
    lock.lock();
    if (session)
        sessions_[key] = *session;
    else
        sessions_.erase(key);
    changed_.notify_all();
    return session;
}

}  // namespace sg::site
