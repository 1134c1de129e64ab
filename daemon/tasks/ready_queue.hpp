#pragma once
// The tasks that could start, best first.

#include <boost/intrusive/set.hpp>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "tasks/task.hpp"

namespace sg::tasks {

/// Highest priority first, then lowest place. Each priority has a list for tasks that come in the
/// order of their places, which is nearly all of them, and a tree for those that waited. So the usual
/// cost does not depend on how many there are.
///
/// Threads: none of its own; under the pool's lock.
class ReadyLine {
public:
    bool is_empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    void push(Task& task) {
        auto& level = levels_[task.spec.priority];
        task.is_queued_in_order = level.in_order.empty() || level.in_order.back().place < task.place;
        if (task.is_queued_in_order)
            level.in_order.push_back(task);
        else
            level.late.insert(task);
        ++size_;
    }

    /// Of the best one; there is one.
    int priority() { return best_level()->first; }

    Task& pop() {
        const auto level = best_level();
        auto& [in_order, late] = level->second;
        Task& best = in_order.empty() || (!late.empty() && late.begin()->place < in_order.front().place)
                         ? *late.begin()
                         : in_order.front();
        take_out(level, best);
        return best;
    }

    void erase(Task& task) { take_out(levels_.find(task.spec.priority), task); }

private:
    struct ByPlace {
        bool operator()(const Task& a, const Task& b) const noexcept { return a.place < b.place; }
    };
    struct Level {
        boost::intrusive::list<Task, boost::intrusive::base_hook<hooks::TaggedList<hooks::Ready>>,
                               boost::intrusive::constant_time_size<false>>
            in_order;
        boost::intrusive::multiset<Task, boost::intrusive::compare<ByPlace>,
                                   boost::intrusive::constant_time_size<false>>
            late;
        bool is_empty() const noexcept { return in_order.empty() && late.empty(); }
    };
    using Levels = std::map<int, Level, std::greater<>>;

    Levels::iterator best_level() {
        auto level = levels_.begin();
        while (level->second.is_empty()) ++level;
        return level;
    }

    void take_out(Levels::iterator level, Task& task) {
        if (task.is_queued_in_order)
            level->second.in_order.erase(level->second.in_order.iterator_to(task));
        else
            level->second.late.erase(level->second.late.iterator_to(task));
        --size_;
        // A few empty levels are kept: the next task of that priority needs no memory then.
        if (level->second.is_empty() && levels_.size() > 16) levels_.erase(level);
    }

    Levels levels_;
    std::size_t size_ = 0;
};

/// One who has a fair part of the workers; see `Account::share`. Under the pool's lock.
struct Share {
    ReadyLine line;
    std::uint64_t last_turn = 0;  ///< of all the turns that were taken
};

/// Shares take turns, one task each, whoever had none for longest first; within a share the best comes first.
/// What has no share is one more of them, but for what has a priority below 0: that waits until nobody has
/// anything else.
///
/// Threads: none of its own; under the pool's lock.
class ReadyQueue {
public:
    bool is_empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    void push(Task& task) {
        auto& share = share_of(task);
        if (&share != &common_ && share.line.is_empty()) turns_.emplace(share.last_turn, &share);
        share.line.push(task);
        ++size_;
    }

    Task& pop() {
        auto* share = &common_;
        if (!turns_.empty()) {
            const auto next = turns_.begin();
            const bool is_common =
                !common_.line.is_empty() && common_.line.priority() >= 0 && common_.last_turn < next->first;
            if (!is_common) {
                share = next->second;
                turns_.erase(next);
            }
            share->last_turn = ++last_turn_;
            if (!is_common && share->line.size() > 1) turns_.emplace(share->last_turn, share);
        }
        --size_;
        return share->line.pop();
    }

    void erase(Task& task) {
        auto& share = share_of(task);
        share.line.erase(task);
        --size_;
        if (&share != &common_ && share.line.is_empty()) turns_.erase({share.last_turn, &share});
    }

private:
    Share& share_of(const Task& task);

    Share common_;
    std::set<std::pair<std::uint64_t, Share*>> turns_;  // of those that have something
    std::uint64_t last_turn_ = 0;
    std::size_t size_ = 0;
};

}  // namespace sg::tasks
