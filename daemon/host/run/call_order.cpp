#include "host/run/call_order.hpp"

#include <fmt/format.h>

namespace sg::host {

/// Nullopt: the event is in no order with others.
std::optional<std::string> CallOrder::key_of(const LoadedCallback& callback, const Event& event) const {
    if (callback.info.concurrency == 1) return std::string();
    switch (callback.keep_order) {
        case KeepOrder::entity:
            return event::entity_key(event);
        case KeepOrder::project:
            return fmt::format("{}", event.project_id());
        case KeepOrder::by_key:
            try {
                return callback.run->key(event);
            } catch (...) {
                return std::string();  // those without a key keep their order
            }
        case KeepOrder::nothing:
            break;
    }
    return std::nullopt;
}

std::shared_ptr<Work> CallOrder::prepare(Delivery delivery) {
    auto work = std::make_shared<Work>(++last_number_, std::move(delivery));
    for (const auto index : work->delivery.callbacks) {
        if (index >= callbacks_.size()) continue;  // the daemon knows how many there are
        if (auto key = key_of(callbacks_[index], work->event))
            work->lines.emplace_back(index, std::move(*key));
    }
    return work;
}

void CallOrder::add(std::shared_ptr<Work> work) {
    ++size_;
    for (const auto& line : work->lines) {
        auto& waiting = lines_[line];
        if (!waiting.empty()) ++work->behind;
        waiting.push_back(work);
    }
    if (work->behind == 0) first_.emplace(work->number, std::move(work));
}

bool CallOrder::has_room(const Work& work) const {
    for (const auto index : work.delivery.callbacks)
        if (index < callbacks_.size() && running_[index] >= callbacks_[index].info.concurrency) return false;
    return true;
}

std::shared_ptr<Work> CallOrder::take() {
    for (auto at = first_.begin(); at != first_.end(); ++at) {
        if (!has_room(*at->second)) continue;
        auto work = std::move(at->second);
        first_.erase(at);
        for (const auto index : work->delivery.callbacks)
            if (index < callbacks_.size()) ++running_[index];
        return work;
    }
    return nullptr;
}

void CallOrder::done(const Work& work) {
    --size_;
    for (const auto index : work.delivery.callbacks)
        if (index < callbacks_.size()) --running_[index];
    for (const auto& line : work.lines) {
        const auto place = lines_.find(line);
        place->second.pop_front();
        if (place->second.empty()) {
            lines_.erase(place);
            continue;
        }
        const auto& next = place->second.front();
        if (--next->behind == 0) first_.emplace(next->number, next);
    }
}

}  // namespace sg::host
