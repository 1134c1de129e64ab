#include "dispatch/turns.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "dispatch/lane.hpp"

namespace sg::dispatch {

bool Turns::place(const std::shared_ptr<Lane>& lane, std::string_view file) {
    std::erase_if(lanes_, [&](const auto& one) { return one.second.lock() == lane; });
    const std::filesystem::path path(file);
    const auto found = std::find(collections_.begin(), collections_.end(), path.parent_path().string());
    if (found == collections_.end()) return false;
    lanes_[{static_cast<std::size_t>(found - collections_.begin()), path.filename().string()}] = lane;
    return true;
}

EventId Turns::done_before(const Lane& lane) const {
    auto done = std::numeric_limits<EventId>::max();
    for (const auto& [place, weak] : lanes_) {
        const auto one = weak.lock();
        if (one.get() == &lane) break;
        if (one) done = std::min(done, one->done_through());
    }
    return done;
}

void Turns::pump() {
    for (const auto& [place, weak] : lanes_)
        if (const auto lane = weak.lock()) lane->pump();
}

}  // namespace sg::dispatch
