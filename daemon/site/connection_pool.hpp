#pragma once
// Connections that nobody uses at the moment.

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "site/transfer.hpp"

namespace sg::site {

/// Hands a connection to one call at a time, and only ever one that served the same credential before.
///
/// Threads:  every member from any thread.
/// Lifetime: outlives its leases.
class ConnectionPool {
public:
    /// Keeps at most `most_idle` connections; what was idle longest goes first.
    explicit ConnectionPool(const Route& route, std::size_t most_idle = 32)
        : route_(route), most_idle_(most_idle) {}

    std::unique_ptr<Connection> take(const std::string& credential);
    void give_back(const std::string& credential, std::unique_ptr<Connection> connection);

private:
    struct Idle {
        std::string credential;
        std::unique_ptr<Connection> connection;
    };

    const Route& route_;
    const std::size_t most_idle_;
    std::mutex mutex_;
    std::list<Idle> idle_;  // the latest given back first: it is the likeliest to be alive
};

}  // namespace sg::site
