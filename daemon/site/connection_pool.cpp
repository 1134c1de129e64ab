#include "site/connection_pool.hpp"

#include <algorithm>

namespace sg::site {

std::unique_ptr<Connection> ConnectionPool::take(const std::string& credential) {
    {
        std::lock_guard lock(mutex_);
        const auto found = std::find_if(idle_.begin(), idle_.end(),
                                        [&](const auto& idle) { return idle.credential == credential; });
        if (found != idle_.end()) {
            auto connection = std::move(found->connection);
            idle_.erase(found);
            return connection;
        }
    }
    return std::make_unique<Connection>(route_);
}

void ConnectionPool::give_back(const std::string& credential, std::unique_ptr<Connection> connection) {
    std::list<Idle> surplus;  // closed outside the lock
    std::lock_guard lock(mutex_);
    idle_.push_front({credential, std::move(connection)});
    if (idle_.size() > most_idle_) surplus.splice(surplus.end(), idle_, std::prev(idle_.end()));
}

}  // namespace sg::site
