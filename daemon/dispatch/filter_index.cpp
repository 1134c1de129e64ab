#include "dispatch/filter_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "event/row_event.hpp"

namespace sg::dispatch {

namespace {

constexpr std::size_t longest_name = 256;  // a pair beyond this is no field of a site, and is not kept

std::string wish_of(const std::vector<plugins::CallbackInfo>& callbacks) {
    auto wishes = nlohmann::json::array();
    for (const auto& callback : callbacks)
        wishes.push_back({callback.filter.to_json(), callback.conditions.to_json()});
    std::string bytes;
    nlohmann::json::to_cbor(wishes, bytes);  // text would have to be UTF-8
    return bytes;
}

}  // namespace

void FilterIndex::set(std::uint32_t lane, const std::vector<plugins::CallbackInfo>& callbacks) {
    if (lane >= lanes_.size()) lanes_.resize(lane + 1);
    known_.clear();
    lanes_[lane] = {callbacks, wish_of(callbacks)};
    is_grouped_ = false;
    ++version_;
}

/// Only when somebody asks: at a start a thousand lanes are set, one after the other.
void FilterIndex::group() {
    if (std::exchange(is_grouped_, true)) return;
    groups_.clear();
    std::unordered_map<std::string_view, std::uint32_t> by_wish;
    for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane) {
        const auto next = static_cast<std::uint32_t>(groups_.size());
        const auto [known, is_new] = by_wish.emplace(lanes_[lane].wish, next);
        if (is_new) groups_.push_back(lane);
        lanes_[lane].group = known->second;
    }
}

std::uint32_t FilterIndex::group_of(std::uint32_t lane) {
    group();
    return lane < lanes_.size() ? lanes_[lane].group : no_group;
}

std::vector<FilterIndex::Match> FilterIndex::ask(std::string_view type, std::string_view attribute) {
    group();
    std::vector<Match> out;
    for (std::uint32_t group = 0; group < groups_.size(); ++group) {
        const auto& callbacks = lanes_[groups_[group]].callbacks;
        CallbackList list;
        for (std::size_t i = 0; i < callbacks.size(); ++i)
            if (callbacks[i].filter.matches(type, attribute)) list.push_back(static_cast<std::uint16_t>(i));
        if (list.empty()) continue;
        const bool is_conditional = std::any_of(
            list.begin(), list.end(), [&](auto index) { return !callbacks[index].conditions.empty(); });
        out.push_back({group, is_conditional, keep(list)});
    }
    return out;
}

const CallbackList* FilterIndex::narrowed(const Match& match, const Event& event) {
    const auto& callbacks = lanes_[groups_[match.group]].callbacks;
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
            if (match.group >= by_group_.size()) by_group_.resize(match.group + 1);
            auto& wanted = by_group_[match.group];
            if (!wanted) {
                wanted = std::make_shared<host::WantedRows>(host::WantedRows{{}, index.lists()});
                wanted->rows.reserve(rows.size() - i);
            }
            wanted->rows.push_back({i, callbacks});
        }
    }
    for (const auto& wanted : by_group_)
        if (wanted && wanted->rows.size() < rows.size() / 2) wanted->rows.shrink_to_fit();
}

}  // namespace sg::dispatch
