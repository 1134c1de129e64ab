#include "stream/gap_tracker.hpp"

#include <algorithm>

namespace sg::stream {

std::vector<Hole> holes_of(EventId after, EventId through, std::span<const event::EventRow> rows) {
    std::vector<Hole> out;
    EventId previous = after;
    for (std::size_t i = 0; i < rows.size() && rows[i].id <= through; ++i) {
        const auto id = rows[i].id;
        if (id <= previous) continue;
        if (id - 1 > previous) {
            Hole hole{{previous + 1, id - 1}, {}};
            for (std::size_t j = i; j < rows.size() && hole.next_created == std::chrono::sys_seconds{}; ++j)
                hole.next_created = rows[j].created_at;
            out.push_back(hole);
        }
        previous = id;
    }
    return out;
}

void GapTracker::load(const std::vector<checkpoint::Gap>& gaps) {
    for (const auto& gap : gaps) gaps_[gap.first] = Open{gap.last, gap.deadline, std::nullopt, gap.first};
}

void GapTracker::settle_deadlines(checkpoint::Instant site_now, Clock::Time now, Clock::Duration at_most) {
    for (auto& [first, gap] : gaps_) {
        if (gap.due) continue;
        const auto left = std::chrono::duration_cast<Clock::Duration>(gap.deadline - site_now);
        gap.due = now + std::clamp(left, Clock::Duration::zero(), at_most);
    }
}

/// The first gap that ends at or above `id`.
std::map<EventId, GapTracker::Open>::const_iterator GapTracker::at_or_after(EventId id) const {
    auto at = gaps_.upper_bound(id);
    if (at != gaps_.begin() && std::prev(at)->second.last >= id) --at;
    return at;
}

bool GapTracker::contains(EventId id) const {
    const auto at = at_or_after(id);
    return at != gaps_.end() && at->first <= id;
}

std::vector<IdRange> GapTracker::unknown_in(IdRange range) const {
    std::vector<IdRange> out;
    for (auto at = at_or_after(range.first); at != gaps_.end() && at->first <= range.last; ++at) {
        if (at->first > range.first) out.push_back({range.first, at->first - 1});
        if (at->second.last >= range.last) return out;
        range.first = at->second.last + 1;
    }
    out.push_back(range);
    return out;
}

void GapTracker::put(EventId first, const Open& gap, checkpoint::Batch& batch) {
    gaps_[first] = gap;
    if (of_ == Of::gaps)
        batch.put_gap({first, gap.last, gap.deadline});
    else
        batch.put_watched({first, gap.last, gap.deadline});
}

/// In the store; from memory the caller takes it.
void GapTracker::erase(EventId first, checkpoint::Batch& batch) const {
    if (of_ == Of::gaps)
        batch.erase_gap(first);
    else
        batch.erase_watched(first);
}

void GapTracker::open(IdRange range, checkpoint::Instant deadline, Clock::Time due,
                      checkpoint::Batch& batch) {
    put(range.first, Open{range.last, deadline, due, range.first}, batch);
}

void GapTracker::forget_lowest(checkpoint::Batch& batch) {
    erase(gaps_.begin()->first, batch);
    gaps_.erase(gaps_.begin());
}

bool GapTracker::take(EventId id, checkpoint::Batch& batch) {
    const auto found = at_or_after(id);
    if (found == gaps_.end() || found->first > id) return false;
    const auto first = found->first;
    const auto gap = found->second;
    gaps_.erase(found);
    erase(first, batch);
    if (first < id) put(first, Open{id - 1, gap.deadline, gap.due, gap.origin}, batch);
    if (id < gap.last) put(id + 1, Open{gap.last, gap.deadline, gap.due, gap.origin}, batch);
    return true;
}

std::vector<IdRange> GapTracker::some(EventId from, std::size_t most) const {
    std::vector<IdRange> out;
    for (auto at = at_or_after(from); at != gaps_.end() && out.size() < most; ++at)
        out.push_back({at->first, at->second.last});
    return out;
}

std::vector<GapTracker::Closed> GapTracker::close(std::span<const IdRange> ranges, Clock::Time asked,
                                                  checkpoint::Batch& batch) {
    std::vector<Closed> out;
    EventId origin = 0;
    for (const auto& range : ranges) {
        for (auto at = gaps_.lower_bound(range.first); at != gaps_.end() && at->second.last <= range.last;) {
            const auto& gap = at->second;
            if (!gap.due || *gap.due > asked) {
                ++at;
                continue;
            }
            if (out.empty() || origin != gap.origin) out.push_back({at->first, gap.last, 0, {}});
            origin = gap.origin;
            out.back().last = gap.last;
            out.back().parts.push_back({at->first, gap.last});
            out.back().missing += static_cast<std::uint64_t>(gap.last - at->first) + 1;
            erase(at->first, batch);
            at = gaps_.erase(at);
        }
    }
    return out;
}

}  // namespace sg::stream
