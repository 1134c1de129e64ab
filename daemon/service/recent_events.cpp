#include "service/recent_events.hpp"

#include <algorithm>

namespace sg::service {

void RecentEvents::keep(Kind& kind, const event::EventRow& event) {
    kind.event = event.id;
    kind.type.assign(event.type);
    kind.attribute.assign(event.attribute);
    kind.created = event.created_at;
}

std::vector<admin::EventView> RecentEvents::list() const {
    std::vector<admin::EventView> listed;
    const auto view_of = [&](EventId event) -> admin::EventView* {
        const auto known =
            std::find_if(listed.begin(), listed.end(), [&](const auto& one) { return one.event == event; });
        if (known != listed.end()) return &*known;
        if (listed.size() == most_events) return nullptr;
        auto& view = listed.emplace_back();
        view.event = event;
        const auto& kind = kinds_[static_cast<std::size_t>(event) % kinds];
        if (kind.event != event) return &view;  // handled long before others of today
        view.type = kind.type;
        view.attribute = kind.attribute;
        if (kind.created != std::chrono::sys_seconds()) view.created = kind.created;
        return &view;
    };
    history_.newest(most_looked, [&](const std::string& plugin, const std::string& callback, EventId event,
                                     std::chrono::microseconds took, bool ok) {
        auto* view = view_of(event);
        if (view == nullptr) return;
        auto& calls = view->calls;
        const auto later = std::find_if(calls.begin(), calls.end(), [&](const auto& one) {
            return one.plugin == plugin && one.callback == callback;
        });
        if (later != calls.end())
            ++later->calls;
        else if (calls.size() < most_calls)
            calls.push_back({plugin, callback, ok, took});
        else
            ++view->more_calls;
    });
    for (auto& view : listed) std::reverse(view.calls.begin(), view.calls.end());
    return listed;
}

}  // namespace sg::service
