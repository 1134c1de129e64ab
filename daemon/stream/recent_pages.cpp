#include "stream/recent_pages.hpp"

namespace sg::stream {

std::map<EventId, RecentPages::Kept>::iterator RecentPages::holder_of(EventId id) {
    auto at = kept_.lower_bound(id);  // the first with after >= id
    if (at == kept_.begin()) return kept_.end();
    --at;
    return at->second.stretch.through >= id ? at : kept_.end();
}

void RecentPages::drop(std::map<EventId, Kept>::iterator which) {
    bytes_ -= which->second.bytes;
    uses_.erase(which->second.use);
    kept_.erase(which);
}

void RecentPages::add(event::Stretch stretch) {
    if (const auto below = holder_of(stretch.after + 1); below != kept_.end())
        stretch.after = below->second.stretch.through;
    if (stretch.through <= stretch.after) return;
    const auto bytes = stretch.page->bytes() + stretch.page->rows().size() * sizeof(event::EventRow);
    if (bytes > most_bytes_) return;
    for (auto at = kept_.lower_bound(stretch.after); at != kept_.end() && at->first < stretch.through;)
        drop(at++);
    uses_.push_front(stretch.after);
    kept_.emplace(stretch.after, Kept{stretch, bytes, uses_.begin()});
    bytes_ += bytes;
    make_room();
}

void RecentPages::make_room() {
    while (bytes_ > most_bytes_) drop(kept_.find(uses_.back()));
}

void RecentPages::limit(std::size_t most_bytes) {
    most_bytes_ = most_bytes;
    make_room();
}

void RecentPages::drop_through(EventId id) {
    while (!kept_.empty() && kept_.begin()->second.stretch.through <= id) drop(kept_.begin());
}

std::optional<event::Stretch> RecentPages::find(EventId position) {
    const auto at = holder_of(position + 1);
    if (at == kept_.end()) return std::nullopt;
    uses_.splice(uses_.begin(), uses_, at->second.use);
    return at->second.stretch;
}

void RecentPages::clear() {
    kept_.clear();
    uses_.clear();
    bytes_ = 0;
}

void RecentPages::forget(EventId id) {
    if (const auto at = holder_of(id); at != kept_.end()) drop(at);
}

}  // namespace sg::stream
