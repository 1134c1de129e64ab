#include "service/orders.hpp"

#include <utility>

namespace sg::service {

std::uint64_t Orders::add() {
    std::lock_guard lock(mutex_);
    orders_.emplace(++last_, admin::OrderState{});
    if (orders_.size() > most) orders_.erase(orders_.begin());
    return last_;
}

void Orders::end(std::uint64_t number, nlohmann::json answer) {
    std::lock_guard lock(mutex_);
    if (const auto at = orders_.find(number); at != orders_.end()) at->second = {true, std::move(answer)};
}

std::optional<admin::OrderState> Orders::find(std::uint64_t number) const {
    std::lock_guard lock(mutex_);
    const auto at = orders_.find(number);
    return at == orders_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace sg::service
