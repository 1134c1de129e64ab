#include "dispatch/filter_index.hpp"

#include <algorithm>
#include <optional>

#include "event/row_event.hpp"

namespace sg::dispatch {

namespace {

constexpr std::size_t longest_name = 256;  // a pair beyond this is no field of a site, and is not kept

}  // namespace

void FilterIndex::set(std::uint32_t lane, const std::vector<plugins::CallbackInfo>& callbacks) {
    if (lane >= lanes_.size()) lanes_.resize(lane + 1);
    known_.clear();
    lanes_[lane] = callbacks;
    ++version_;
}

std::vector<FilterIndex::Match> FilterIndex::ask(std::string_view type, std::string_view attribute) {
    std::vector<Match> out;
    for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane) {
        CallbackList list;
        for (std::size_t i = 0; i < lanes_[lane].size(); ++i)
            if (lanes_[lane][i].filter.matches(type, attribute))
                list.push_back(static_cast<std::uint16_t>(i));
        if (list.empty()) continue;
        const bool is_conditional = std::any_of(
            list.begin(), list.end(), [&](auto index) { return !lanes_[lane][index].conditions.empty(); });
        out.push_back({lane, is_conditional, keep(list)});
    }
    return out;
}

const CallbackList* FilterIndex::narrowed(const Match& match, const Event& event) {
    const auto& callbacks = lanes_[match.lane];
    CallbackList list;
    for (const auto index : *match.callbacks)
        if (callbacks[index].conditions.hold(event)) list.push_back(index);
    if (list.size() == match.callbacks->size()) return match.callbacks;
    return list.empty() ? nullptr : keep(list);
}

std::span<const FilterIndex::Match> FilterIndex::find(std::string_view type, std::string_view attribute) {
    if (const auto known = known_.find(PairView(type, attribute)); known != known_.end())
        return known->second;
    if (type.size() + attribute.size() > longest_name) return last_ = ask(type, attribute);
    if (known_.size() >= most_pairs_) known_.clear();
    Pair pair{std::string(type), std::string(attribute)};
    return known_.emplace(std::move(pair), ask(type, attribute)).first->second;
}

PageMatches::PageMatches(FilterIndex& index, const event::EventPage& page) {
    const auto rows = page.rows();
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
        std::optional<event::RowEvent> event;  // read once, for all lanes that want to know more of it
        for (const auto& match : index.find(rows[i].type, rows[i].attribute)) {
            const auto* callbacks = match.callbacks;
            if (match.is_conditional) {
                if (!event) event.emplace(rows[i]);
                callbacks = index.narrowed(match, *event);
                if (callbacks == nullptr) continue;
            }
            if (match.lane >= by_lane_.size()) by_lane_.resize(match.lane + 1);
            auto& wanted = by_lane_[match.lane];
            if (!wanted) {
                wanted = std::make_shared<host::WantedRows>(host::WantedRows{{}, index.lists()});
                wanted->rows.reserve(rows.size() - i);
            }
            wanted->rows.push_back({i, callbacks});
        }
    }
    for (const auto& wanted : by_lane_)
        if (wanted && wanted->rows.size() < rows.size() / 2) wanted->rows.shrink_to_fit();
}

}  // namespace sg::dispatch
