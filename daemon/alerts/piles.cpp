#include "alerts/piles.hpp"

#include <algorithm>

namespace sg::alerts {
namespace {

constexpr std::size_t most_kinds = 50;  // named in one message; what is more counts as "others"

}  // namespace

void Piles::add(const Alert& alert, const std::vector<std::string>& to, Clock::Time now) {
    // Piles of people who need not be spared any more, and have nothing to hear, are forgotten.
    std::erase_if(piles_, [now](const auto& one) {
        return one.second.message.alerts.empty() && one.second.not_before.value_or(now) <= now;
    });
    auto& pile = piles_[to];
    auto& message = pile.message;
    if (message.alerts.empty()) {
        pile.begun = now;
        message.to = to;
    }
    ++waiting_;
    if (message.alerts.size() < pace_.told) {
        message.alerts.push_back(alert);
        return;
    }
    ++message.held;
    auto kind = kind_of(alert);
    const bool is_new = !message.held_back.contains(kind);
    ++message.held_back[is_new && message.held_back.size() >= most_kinds ? "others" : std::move(kind)];
}

Clock::Time Piles::due_of(const Pile& pile) const {
    const auto gathered = pile.begun + pace_.gather;
    return pile.not_before ? std::max(gathered, *pile.not_before) : gathered;
}

std::optional<Clock::Time> Piles::due() const {
    std::optional<Clock::Time> first;
    for (const auto& [to, pile] : piles_)
        if (!pile.message.alerts.empty()) first = std::min(first.value_or(due_of(pile)), due_of(pile));
    return first;
}

std::optional<Message> Piles::take(Clock::Time now, bool at_once) {
    for (auto& [to, pile] : piles_) {
        if (pile.message.alerts.empty() || (!at_once && due_of(pile) > now)) continue;
        waiting_ -= pile.message.count();
        return std::exchange(pile.message, {});
    }
    return std::nullopt;
}

void Piles::told(const Message& message, Clock::Time now) {
    piles_[message.to].not_before = now + pace_.pause;
}

}  // namespace sg::alerts
