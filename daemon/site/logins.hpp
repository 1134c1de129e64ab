#pragma once
// Sessions of people whose second factor can be shown once only.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "site/client.hpp"

namespace sg::site {

/// Threads: any. While one logs somebody in, others who want the same session wait for it.
class Client::Logins {
public:
    Result<Session> session_of(const User& user, std::stop_token stop,
                               const std::function<Result<Session>()>& log_in);

private:
    using Key = std::pair<std::string, std::string>;  // login and code

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<Key, std::optional<Session>> sessions_;  // nullopt: somebody asks for it
};

}  // namespace sg::site
