#pragma once
// From an event's type and attribute to the callbacks that want it.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/event_page.hpp"
#include "plugins/generation.hpp"

namespace sg::dispatch {

using host::CallbackList;

/// Which lanes want an event, and for which of their callbacks.
///
/// The filters themselves are asked once for every pair of type and attribute that occurs; after
/// that an event costs one look into a hash table, however many plugins there are. The table is
/// bounded: a site has some thousand pairs, and above the bound it is forgotten and learnt again.
/// Lanes that want the same are one group, and cost what one of them would.
///
/// Threads: one.
class FilterIndex {
public:
    struct Match {
        std::uint32_t group;
        bool is_conditional;            ///< some of them want to know more of the event: see `narrowed`
        const CallbackList* callbacks;  ///< for as long as `lists`
    };

    explicit FilterIndex(std::size_t most_pairs = 16'384) : most_pairs_(most_pairs) {}

    /// Replaces what the lane wants.
    void set(std::uint32_t lane, const std::vector<plugins::CallbackInfo>& callbacks);

    /// By ascending group. Valid until the next call.
    std::span<const Match> find(std::string_view type, std::string_view attribute);

    /// Those of a match whose conditions hold, too; null: none. For a match that is conditional.
    const CallbackList* narrowed(const Match& match, const Event& event);

    /// How many there are, or were.
    std::size_t lanes() const noexcept { return lanes_.size(); }

    /// Which group a lane is of, until the next `set`; `no_group` if it never was set.
    std::uint32_t group_of(std::uint32_t lane);
    static constexpr auto no_group = std::numeric_limits<std::uint32_t>::max();

    /// All lists of callbacks that were handed out. Hosts in threads read them, and may outlive this.
    std::shared_ptr<const void> lists() const noexcept { return lists_; }

    /// Grows whenever `set` was called: what was found before may no longer be so.
    std::uint64_t version() const noexcept { return version_; }

private:
    struct Pair {
        std::string type, attribute;
    };
    struct PairView {
        std::string_view type, attribute;
        PairView(std::string_view t, std::string_view a) : type(t), attribute(a) {}
        PairView(const Pair& pair) : type(pair.type), attribute(pair.attribute) {}
        friend bool operator==(const PairView&, const PairView&) = default;
    };
    // Transparent, so that looking a pair up makes no string.
    struct PairHash {
        using is_transparent = void;
        std::size_t operator()(const PairView& pair) const noexcept {
            const std::hash<std::string_view> hash;
            return hash(pair.type) * 31 + hash(pair.attribute);
        }
    };
    struct PairEqual {
        using is_transparent = void;
        bool operator()(const PairView& a, const PairView& b) const noexcept { return a == b; }
    };
    const CallbackList* keep(const CallbackList& list) { return &*lists_->insert(list).first; }

    std::vector<Match> ask(std::string_view type, std::string_view attribute);

    void group();

    struct Lane {
        std::vector<plugins::CallbackInfo> callbacks;
        std::string wish;  // the same text for those who want the same
        std::uint32_t group = 0;
    };
    std::size_t most_pairs_;
    std::vector<Lane> lanes_;
    std::vector<std::uint32_t> groups_;  // of each the first lane
    bool is_grouped_ = true;
    // Each different list once, for all lanes, at an address that stays. There are few.
    std::shared_ptr<std::set<CallbackList>> lists_ = std::make_shared<std::set<CallbackList>>();
    std::unordered_map<Pair, std::vector<Match>, PairHash, PairEqual> known_;
    std::vector<Match> last_;  // of a pair too long to be kept
    std::uint64_t version_ = 0;
};

/// What each group of lanes wants of one page: worked out once, however many lanes take it.
class PageMatches {
public:
    PageMatches(FilterIndex& index, const event::EventPage& page);

    /// Null for a group that wants nothing.
    host::WantedPtr of(std::uint32_t group) const noexcept {
        return group < by_group_.size() ? by_group_[group] : nullptr;
    }

private:
    std::vector<std::shared_ptr<host::WantedRows>> by_group_;
};

}  // namespace sg::dispatch
