#pragma once
// What became of what the daemon was told to do.

#include <map>
#include <mutex>
#include <optional>

#include "admin/order.hpp"

namespace sg::service {

/// Threads: any.
class Orders {
public:
    /// A number for a new one, which is under way.
    std::uint64_t add();

    /// It is over.
    void end(std::uint64_t number, nlohmann::json answer);
    void fail(std::uint64_t number, const std::string& why) { end(number, {{"error", why}}); }

    /// Nothing: there is none of this number, or it is long forgotten.
    std::optional<admin::OrderState> find(std::uint64_t number) const;

private:
    static constexpr std::size_t most = 1000;  // the oldest are forgotten, under way or not
    mutable std::mutex mutex_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, admin::OrderState> orders_;
};

}  // namespace sg::service
