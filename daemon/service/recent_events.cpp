#include "service/recent_events.hpp"

#include <algorithm>

namespace sg::service {

void RecentEvents::add(const dispatch::EndedCall& call) {
    auto& event = place_of(call.event);
    const auto known = std::find_if(event.calls.begin(), event.calls.end(), [&](const auto& one) {
        return one.plugin == call.plugin && one.callback == call.callback;
    });
    if (known != event.calls.end()) {
        known->ok = call.ok;
        known->took = call.took;
        ++known->calls;
    } else if (event.calls.size() < most_calls) {
        event.calls.push_back({call.plugin, std::string(call.callback), call.ok, call.took});
    } else {
        ++event.more_calls;
    }
}

admin::EventView& RecentEvents::place_of(const event::EventRow& event) {
    const auto known = std::find(ids_.begin(), ids_.end(), event.id);
    if (known != ids_.end()) return events_[static_cast<std::size_t>(known - ids_.begin())];
    const auto at = next_;
    next_ = (next_ + 1) % places;
    ids_[at] = event.id;
    auto& view = events_[at];
    view.event = event.id;
    view.type.assign(event.type);
    view.attribute.assign(event.attribute);
    view.created.reset();
    if (event.created_at != std::chrono::sys_seconds()) view.created = event.created_at;
    view.calls.clear();
    view.more_calls = 0;
    return view;
}

std::vector<admin::EventView> RecentEvents::list() const {
    std::vector<admin::EventView> listed;
    for (std::size_t i = 1; i <= places; ++i) {
        const auto& event = events_[(next_ + places - i) % places];
        if (event.event != 0) listed.push_back(event);
    }
    return listed;
}

}  // namespace sg::service
