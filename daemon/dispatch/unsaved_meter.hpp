#pragma once
// How many outcomes are not on disk yet.

#include <cstddef>
#include <deque>

#include "checkpoint/store.hpp"

namespace sg::dispatch {

/// Counts what would be repeated if the daemon were killed now. Rows in the store are merged, so
/// the store cannot tell.
///
/// Threads: one.
class UnsavedMeter {
public:
    explicit UnsavedMeter(const checkpoint::Store& store) : store_(store) {}

    void add(checkpoint::Store::Ticket ticket, std::size_t outcomes);
    std::size_t unsaved();

private:
    struct Part {
        checkpoint::Store::Ticket ticket;
        std::size_t outcomes;
    };
    const checkpoint::Store& store_;
    std::deque<Part> parts_;
    std::size_t sum_ = 0;
};

}  // namespace sg::dispatch
