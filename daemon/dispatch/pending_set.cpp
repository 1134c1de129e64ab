#include "dispatch/pending_set.hpp"

#include <algorithm>

#include "dispatch/gathering.hpp"

namespace sg::dispatch {

void set_gathering(Debt& debt, const host::Gathering& gathering) {
    if (gathering.is_wanted()) debt.key = gathering_key(gathering, debt.event.row());
    debt.settles = gathering.settle.count() != 0;
}

// `enter` and `leave` keep the sums and the order by time; whatever changes a debt does so between the two.
void PendingSet::enter(const Key& key, Debt& debt) {
    if (debt.running && debt.led_by == 0) {
        ++running_;
        running_bytes_ += debt.event.row().raw.size();
    }
    if (debt.stops) stops_.insert(key.first);
    if (!debt.index) return;
    ++owed_;
    owed_bytes_ += debt.event.row().raw.size();
    if (debt.running || debt.awaits_disk) return;
    due_.emplace(debt.due, key);
    if (!debt.key.empty()) enter_group(key, debt);
}

void PendingSet::enter_group(const Key& key, const Debt& debt) {
    groups_[{debt.callback, debt.key, debt.attempts}].insert(key.first);
    if (debt.settles && debt.attempts == 0) settling_[debt.key].insert(key);
}

void PendingSet::leave_group(const Key& key, const Debt& debt) {
    const auto group = groups_.find({debt.callback, debt.key, debt.attempts});
    group->second.erase(key.first);
    if (group->second.empty()) groups_.erase(group);
    if (!debt.settles || debt.attempts != 0) return;
    const auto settling = settling_.find(debt.key);
    settling->second.erase(key);
    if (settling->second.empty()) settling_.erase(settling);
}

void PendingSet::leave(const Key& key, Debt& debt) {
    if (debt.running && debt.led_by == 0) {
        --running_;
        running_bytes_ -= debt.event.row().raw.size();
    }
    if (debt.stops) stops_.erase(stops_.find(key.first));
    if (!debt.index) return;
    --owed_;
    owed_bytes_ -= debt.event.row().raw.size();
    if (debt.running || debt.awaits_disk) return;
    due_.erase({debt.due, key});
    if (!debt.key.empty()) leave_group(key, debt);
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
        debt.key.clear();
        if (debt.index) set_gathering(debt, callbacks[*debt.index].gathering);
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

std::size_t PendingSet::hurry(Clock::Time now) {
    std::size_t count = 0;
    for (auto& [key, debt] : debts_) {
        if (debt.running || debt.attempts == 0 || debt.due <= now) continue;
        leave(key, debt);
        debt.due = now;
        enter(key, debt);
        ++count;
    }
    return count;
}

std::optional<Clock::Time> PendingSet::next_due() const {
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

DueCall PendingSet::start_due(Clock::Time now) {
    DueCall out;
    auto& debts = out.debts;
    while (!due_.empty() && due_.begin()->first <= now) {
        const Key key = due_.begin()->second;
        Debt& debt = debts_.at(key);
        if (!debt.key.empty()) {
            if (!debts.empty()) break;
            out.is_merged = true;
            const auto ids = groups_.at({debt.callback, debt.key, debt.attempts});
            for (const auto id : ids) debts.push_back(&debts_.at({id, key.second}));
            auto& lead = *debts.back();
            for (auto* one : debts) {
                leave({one->event.id(), key.second}, *one);
                one->running = true;
                if (one != &lead) {
                    one->led_by = lead.event.id();
                    lead.merged.push_back(one->event.id());
                }
                enter({one->event.id(), key.second}, *one);
            }
            return out;
        }
        if (!debts.empty() &&
            (debts.front()->event.id() != key.first || debts.front()->attempts != debt.attempts ||
             debts.front()->redelivered != debt.redelivered))
            break;
        leave(key, debt);
        debt.running = true;
        enter(key, debt);
        debts.push_back(&debt);
    }
    std::sort(debts.begin(), debts.end(), [](const Debt* a, const Debt* b) { return *a->index < *b->index; });
    return out;
}

std::optional<Clock::Time> PendingSet::gathered_until(const std::string& callback,
                                                      const std::string& key) const {
    const auto group = groups_.find({callback, key, 0});
    if (group == groups_.end()) return std::nullopt;
    return debts_.at({*group->second.begin(), callback}).due;
}

bool PendingSet::may_stir(std::string_view type) const {
    // `Shotgun_Shot_Change` speaks of the Shot in `Shot 862`.
    return std::any_of(settling_.begin(), settling_.end(), [&](const auto& one) {
        return type.find(std::string_view(one.first).substr(0, one.first.find(' '))) !=
               std::string_view::npos;
    });
}

void PendingSet::stir(const std::string& key, const std::function<Clock::Time(std::uint16_t)>& when) {
    const auto found = settling_.find(key);
    if (found == settling_.end()) return;
    for (const auto& one : std::set<Key>(found->second)) {
        Debt& debt = debts_.at(one);
        leave(one, debt);
        debt.due = when(*debt.index);
        enter(one, debt);
    }
}

void PendingSet::stop(Debt& debt, Clock::Time due) {
    const Key key{debt.event.id(), debt.callback};
    leave(key, debt);
    debt.running = false;
    debt.led_by = 0;
    debt.merged.clear();
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

std::vector<Debt*> PendingSet::above(EventId event) {
    std::vector<Debt*> out;
    for (auto at = debts_.lower_bound({event + 1, {}}); at != debts_.end(); ++at) out.push_back(&at->second);
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
