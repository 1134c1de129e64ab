#include "dispatch/pending_set.hpp"

#include <algorithm>

namespace sg::dispatch {

// `enter` and `leave` keep the sums and the order by time; whatever changes a debt does so between the two.
void PendingSet::enter(const Key& key, Debt& debt) {
    if (debt.running) {
        ++running_;
        running_bytes_ += debt.event.row().raw.size();
    }
    if (debt.stops) stops_.insert(key.first);
    if (!debt.index) return;
    ++owed_;
    owed_bytes_ += debt.event.row().raw.size();
    if (!debt.running && !debt.awaits_disk) due_.emplace(debt.due, key);
}

void PendingSet::leave(const Key& key, Debt& debt) {
    if (debt.running) {
        --running_;
        running_bytes_ -= debt.event.row().raw.size();
    }
    if (debt.stops) stops_.erase(stops_.find(key.first));
    if (!debt.index) return;
    --owed_;
    owed_bytes_ -= debt.event.row().raw.size();
    if (!debt.running && !debt.awaits_disk) due_.erase({debt.due, key});
}

Debt& PendingSet::put(Debt debt) {
    const Key key{debt.event.id(), debt.callback};
    const auto [place, is_new] = debts_.try_emplace(key);
    if (!is_new) leave(key, place->second);
    place->second = std::move(debt);
    enter(key, place->second);
    return place->second;
}

void PendingSet::erase(EventId event, const std::string& callback) {
    const auto place = debts_.find({event, callback});
    if (place == debts_.end()) return;
    leave(place->first, place->second);
    debts_.erase(place);
}

Debt* PendingSet::find(EventId event, const std::string& callback) {
    const auto place = debts_.find({event, callback});
    return place == debts_.end() ? nullptr : &place->second;
}

void PendingSet::assign(const std::vector<plugins::CallbackInfo>& callbacks) {
    std::map<std::string_view, std::uint16_t> by_name;
    for (std::size_t i = 0; i < callbacks.size(); ++i)
        by_name.emplace(callbacks[i].name, static_cast<std::uint16_t>(i));
    for (auto& [key, debt] : debts_) {
        leave(key, debt);
        const auto found = by_name.find(debt.callback);
        debt.index = found == by_name.end() ? std::nullopt : std::optional(found->second);
        debt.stops = debt.index && callbacks[*debt.index].on_failure == OnFailure::halt;
        enter(key, debt);
    }
}

std::vector<Debt> PendingSet::take_unassigned() {
    std::vector<Debt> out;
    for (auto place = debts_.begin(); place != debts_.end();) {
        if (place->second.callback.empty()) {
            leave(place->first, place->second);
            out.push_back(std::move(place->second));
            place = debts_.erase(place);
        } else {
            ++place;
        }
    }
    return out;
}

std::optional<Clock::Time> PendingSet::next_due() const {
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

std::vector<Debt*> PendingSet::start_due(Clock::Time now) {
    std::vector<Debt*> out;
    while (!due_.empty() && due_.begin()->first <= now) {
        const Key key = due_.begin()->second;
        Debt& debt = debts_.at(key);
        if (!out.empty() && (out.front()->event.id() != key.first || out.front()->attempts != debt.attempts ||
                             out.front()->redelivered != debt.redelivered))
            break;
        leave(key, debt);
        debt.running = true;
        enter(key, debt);
        out.push_back(&debt);
    }
    std::sort(out.begin(), out.end(), [](const Debt* a, const Debt* b) { return *a->index < *b->index; });
    return out;
}

void PendingSet::stop(Debt& debt, Clock::Time due) {
    const Key key{debt.event.id(), debt.callback};
    leave(key, debt);
    debt.running = false;
    debt.due = due;
    enter(key, debt);
}

void PendingSet::saved(EventId event, const std::string& callback) {
    const auto place = debts_.find({event, callback});
    if (place == debts_.end()) return;
    leave(place->first, place->second);
    place->second.awaits_disk = false;
    enter(place->first, place->second);
}

std::vector<Debt*> PendingSet::unmarked() {
    std::vector<Debt*> out;
    for (auto& [key, debt] : debts_)
        if (debt.running || !debt.mark_is_stored) out.push_back(&debt);
    return out;
}

std::vector<Debt*> PendingSet::running() {
    std::vector<Debt*> out;
    if (running_ == 0) return out;
    for (auto& [key, debt] : debts_)
        if (debt.running) out.push_back(&debt);
    return out;
}

}  // namespace sg::dispatch
