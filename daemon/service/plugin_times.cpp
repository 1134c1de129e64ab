#include "service/plugin_times.hpp"

#include <algorithm>

namespace sg::service {
namespace {

using std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

}  // namespace

void PluginTimes::add(const dispatch::EndedCall& call) {
    if (call.lane >= lanes_.size()) lanes_.resize(call.lane + 1);
    if (lanes_[call.lane] == nullptr) lanes_[call.lane] = &plugins_[call.plugin];
    auto& times = *lanes_[call.lane];
    times.calls.add(Seconds(call.took).count());
    if (call.first && call.event.created_at != std::chrono::sys_seconds())
        times.delays.add(Seconds(call.ended - call.took + skew_ - call.event.created_at).count());
}

void PluginTimes::tell(std::vector<admin::PluginView>& plugins, UtcTime now,
                       std::optional<milliseconds> skew) {
    skew_ = skew.value_or(milliseconds(0));
    for (auto& plugin : plugins) {
        auto& times = plugins_[plugin.plugin];
        plugin.call_times = times.calls;
        plugin.delays = times.delays;
        const bool is_behind = plugin.lag_events > 0;
        if (!is_behind || plugin.oldest || plugin.position != times.position) times.moved = now;
        times.position = plugin.position;
        if (!is_behind) continue;
        const auto age = plugin.oldest ? now + skew_ - *plugin.oldest : now - times.moved;
        plugin.lag = std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(age));
    }
}

}  // namespace sg::service
