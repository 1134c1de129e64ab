#pragma once
// Which events may run now, where calls of a plugin may overlap.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "event/row_event.hpp"
#include "host/run/call.hpp"

namespace sg::host {

/// One event on its way through its callbacks. It stands in a line for each of them that keeps an order, and
/// runs when it is first in all of its lines and none of its callbacks has all the calls it may have.
struct Work {
    using Line = std::pair<std::uint16_t, std::string>;  // a callback, and what its events have in common

    Work(std::uint64_t n, Delivery d) : number(n), delivery(std::move(d)), event(delivery.event.row()) {}

    const std::uint64_t number;  ///< in the order of arrival
    const Delivery delivery;
    const event::RowEvent event;
    std::vector<Line> lines;
    std::size_t behind = 0;  ///< lines in which it is not the first
};

/// Lines by callback and key; what waits is found without looking at what cannot run.
///
/// Threads: one at a time; `prepare` one of its own. Lifetime: outlived by the callbacks.
class CallOrder {
public:
    explicit CallOrder(const std::vector<LoadedCallback>& callbacks)
        : callbacks_(callbacks), running_(callbacks.size()) {}

    /// Works out which lines it stands in, which asks the plugin for its keys. Beside the other calls.
    std::shared_ptr<Work> prepare(Delivery delivery);

    void add(std::shared_ptr<Work> work);

    /// The first that may run, if any; `done` follows for each.
    std::shared_ptr<Work> take();
    void done(const Work& work);

    /// Those that wait or run.
    std::size_t size() const noexcept { return size_; }

private:
    std::optional<std::string> key_of(const LoadedCallback& callback, const Event& event) const;
    bool has_room(const Work& work) const;

    const std::vector<LoadedCallback>& callbacks_;
    std::vector<int> running_;  // calls, by callback
    std::map<Work::Line, std::deque<std::shared_ptr<Work>>> lines_;
    std::map<std::uint64_t, std::shared_ptr<Work>> first_;  // in all of its lines, and not running
    std::uint64_t last_number_ = 0;
    std::size_t size_ = 0;
};

}  // namespace sg::host
