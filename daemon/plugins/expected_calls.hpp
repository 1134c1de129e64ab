#pragma once
// The calls that a host was given and has not told the outcome of.

#include <cstddef>
#include <optional>

#include "plugins/generation.hpp"
#include "util/long_deque.hpp"

namespace sg::plugins {

/// What a host says is compared with this, for its word alone is not good enough.
///
/// Threads: one.
class ExpectedCalls {
public:
    /// From here on calls may end in any order. Before anything is added.
    void let_overlap() noexcept { overlap_ = true; }

    void add(const Deliver& batch);

    /// The call has its outcome. False: it is not the next one, or was never given.
    bool take(const Running& call);
    bool has(const Running& call) const;

    std::optional<Running> front() const;
    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return calls_; }
    void clear();

private:
    /// One call, or those of a run.
    struct Entry {
        Running single;
        host::Run run{};       // no rows: it is a single one
        std::size_t next = 0;  // of the callbacks of the run's first event

        Running call() const;
        bool pop();  // false: nothing is left
    };
    LongDeque<Entry>::const_iterator place_of(const Running& call) const;

    LongDeque<Entry> entries_;
    std::size_t calls_ = 0;
    bool overlap_ = false;
};

}  // namespace sg::plugins
