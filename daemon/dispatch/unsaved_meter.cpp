#include "dispatch/unsaved_meter.hpp"

namespace sg::dispatch {

void UnsavedMeter::add(checkpoint::Store::Ticket ticket, std::size_t outcomes) {
    unsaved();
    if (outcomes == 0) return;
    // While nothing is saved the parts must not pile up: neighbours are counted as the later one.
    if (parts_.size() >= 1000) {
        parts_.back().ticket = ticket;
        parts_.back().outcomes += outcomes;
    } else {
        parts_.push_back({ticket, outcomes});
    }
    sum_ += outcomes;
}

std::size_t UnsavedMeter::unsaved() {
    const auto durable = store_.durable();
    while (!parts_.empty() && parts_.front().ticket <= durable) {
        sum_ -= parts_.front().outcomes;
        parts_.pop_front();
    }
    return sum_;
}

}  // namespace sg::dispatch
