#include "plugins/expected_calls.hpp"

#include <algorithm>

namespace sg::plugins {

Running ExpectedCalls::Entry::call() const {
    if (run.rows.empty()) return single;
    const auto& first = run.rows.front();
    return {run.page->rows()[first.row].id, (*first.callbacks)[next]};
}

bool ExpectedCalls::Entry::pop() {
    if (run.rows.empty()) return false;
    if (++next < run.rows.front().callbacks->size()) return true;
    next = 0;
    run.rows = run.rows.subspan(1);
    return !run.rows.empty();
}

void ExpectedCalls::add(const Deliver& batch) {
    const auto add_single = [this](const Delivery& delivery) {
        for (const auto callback : delivery.callbacks) entries_.push_back({{delivery.event.id(), callback}});
        calls_ += delivery.callbacks.size();
        return true;
    };
    if (overlap_) return visit_each(batch, add_single);
    for (const auto& delivery : batch.batch) add_single(delivery);
    for (const auto& run : batch.runs) {
        entries_.push_back({{}, run});
        for (const auto& wanted : run.rows) calls_ += wanted.callbacks->size();
    }
}

/// Where calls do not overlap only the first can be meant.
LongDeque<ExpectedCalls::Entry>::const_iterator ExpectedCalls::place_of(const Running& call) const {
    const auto is_it = [&](const Entry& entry) { return entry.call() == call; };
    if (overlap_) return std::find_if(entries_.begin(), entries_.end(), is_it);
    return !entries_.empty() && is_it(entries_.front()) ? entries_.begin() : entries_.end();
}

bool ExpectedCalls::take(const Running& call) {
    const auto place = place_of(call);
    if (place == entries_.end()) return false;
    --calls_;
    if (place != entries_.begin())
        entries_.erase(place);
    else if (!entries_.front().pop())
        entries_.pop_front();
    return true;
}

bool ExpectedCalls::has(const Running& call) const { return place_of(call) != entries_.end(); }

std::optional<Running> ExpectedCalls::front() const {
    return entries_.empty() ? std::nullopt : std::optional(entries_.front().call());
}

void ExpectedCalls::clear() {
    entries_.clear();
    calls_ = 0;
}

}  // namespace sg::plugins
