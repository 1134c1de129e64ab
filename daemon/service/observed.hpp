#pragma once
// The dispatcher, with somebody looking over its shoulder.

#include "dispatch/dispatcher.hpp"
#include "service/observer.hpp"

namespace sg::service {

/// Hands everything to the dispatcher first, then tells the observer. Loop thread only.
class Observed final : public event::EventSink, public plugins::GenerationOwner {
public:
    Observed(dispatch::Dispatcher& dispatcher, Observer& observer)
        : dispatcher_(dispatcher), observer_(observer) {}

    void on_live(const event::Stretch& live) override {
        dispatcher_.on_live(live);
        if (live.page) observer_.on_events(*live.page);
    }
    void on_late(const event::PagePtr& rows, checkpoint::Batch& batch, event::Late how) override {
        dispatcher_.on_late(rows, batch, how);
        observer_.on_events(*rows);
    }
    void on_given_up() override { dispatcher_.on_given_up(); }
    void on_ready(std::shared_ptr<plugins::Generation> generation) override {
        dispatcher_.on_ready(generation);
        observer_.on_host_ready(*generation);
    }
    void on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) override {
        const auto copy = outcomes;
        dispatcher_.on_outcomes(generation, std::move(outcomes));
        const auto behind = behind_of(generation.plugin());
        for (const auto& outcome : copy) observer_.on_outcome(generation, outcome, behind);
    }
    void on_end(plugins::Generation& generation, const plugins::HostEnd& end) override {
        dispatcher_.on_end(generation, end);
        observer_.on_host_end(generation, end);
    }
    void on_refused(const std::string& plugin, const Failure& why, bool will_retry) override {
        dispatcher_.on_refused(plugin, why, will_retry);
        observer_.on_refused(plugin, why, will_retry);
    }

private:
    std::size_t behind_of(const std::string& plugin) const {
        for (const auto& lane : dispatcher_.status())
            if (lane.plugin == plugin) return lane.queued + lane.outstanding + lane.pending;
        return 0;
    }

    dispatch::Dispatcher& dispatcher_;
    Observer& observer_;
};

}  // namespace sg::service
