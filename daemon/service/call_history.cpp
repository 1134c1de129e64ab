#include "service/call_history.hpp"

#include <algorithm>

namespace sg::service {
namespace {

using std::chrono::microseconds;

UtcTime time_of(std::int64_t since_epoch) {
    return UtcTime(std::chrono::duration_cast<UtcTime::duration>(microseconds(since_epoch)));
}

}  // namespace

void CallHistory::add(const dispatch::EndedCall& call) {
    if (call.lane >= lanes_.size()) lanes_.resize(call.lane + 1);
    auto& names = lanes_[call.lane];
    if (names.plugin.empty()) names.plugin = call.plugin;
    const Place place{call.event.id,
                      std::chrono::duration_cast<microseconds>(call.ended.time_since_epoch()).count(),
                      call.took.count(),
                      static_cast<std::uint32_t>(call.lane),
                      number_of(names, call.callback),
                      call.ok};
    if (calls_.size() < places_) {
        calls_.push_back(place);
        return;
    }
    calls_[next_] = place;
    if (++next_ == places_) next_ = 0;
}

/// A plugin has few callbacks, and mostly the same ones.
std::uint16_t CallHistory::number_of(Names& names, std::string_view callback) {
    const auto known = std::find(names.callbacks.begin(), names.callbacks.end(), callback);
    const auto number = known - names.callbacks.begin();
    if (known == names.callbacks.end()) names.callbacks.emplace_back(callback);
    return static_cast<std::uint16_t>(number);
}

std::vector<PastCall> CallHistory::of(const std::string& plugin, EventId event) const {
    std::vector<PastCall> found;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        const auto& call = calls_[(next_ + i) % calls_.size()];
        if (call.event != event || lanes_[call.lane].plugin != plugin) continue;
        found.push_back({lanes_[call.lane].callbacks[call.callback], time_of(call.ended),
                         microseconds(call.took), call.ok});
    }
    return found;
}

std::optional<UtcTime> CallHistory::since() const {
    if (calls_.size() < places_) return std::nullopt;
    return time_of(calls_[next_].ended);
}

}  // namespace sg::service
