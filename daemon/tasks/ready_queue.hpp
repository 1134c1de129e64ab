#pragma once
// The tasks that could start, best first.

#include <boost/intrusive/set.hpp>
#include <functional>
#include <map>

#include "tasks/task.hpp"

namespace sg::tasks {

/// Highest priority first, then lowest place. Each priority has a list for tasks that come in the
/// order of their places, which is nearly all of them, and a tree for those that waited. So the usual
/// cost does not depend on how many there are.
///
/// Threads: none of its own; under the pool's lock.
class ReadyQueue {
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

    Task& pop() {
        auto level = levels_.begin();
        while (level->second.is_empty()) ++level;
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

}  // namespace sg::tasks
