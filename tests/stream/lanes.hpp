#pragma once
// Lanes as the stream sees them: they take stretches, and late rows behind them.

#include <algorithm>
#include <deque>
#include <limits>
#include <map>

#include "checkpoint/store.hpp"
#include "event/event_source.hpp"

namespace sg::test {

/// Any number of lanes, each with a position; notes what each was handed, in order.
class Lanes final : public event::EventSink {
public:
    struct Lane {
        EventId start = 0;
        EventId position = 0;
        std::vector<EventId> got;  ///< in stretches and late
        std::vector<EventId> late;
        bool pulls = true;     ///< takes what there is; else stands still
        bool waiting = false;  ///< for a fetch
    };

    std::deque<Lane> lanes;
    std::vector<event::Stretch> live;
    event::EventSource* source = nullptr;
    std::size_t very_late = 0;  ///< rows of gaps that were given up
    bool broken = false;        ///< a stretch did not fit, or went above the level

    EventId taken_through() const override {
        auto through = std::numeric_limits<EventId>::max();
        for (const auto& lane : lanes) through = std::min(through, lane.position);
        return through;
    }
    Lane& add(EventId start) {
        auto& lane = lanes.emplace_back();
        lane.start = lane.position = start;
        return lane;
    }
    void pull_all() {
        for (auto& lane : lanes) pull(lane);
    }
    void pull(Lane& lane) {
        while (lane.pulls && !lane.waiting && lane.position < source->level()) {
            if (const auto stretch = source->at_hand(lane.position)) {
                take(lane, *stretch);
                continue;
            }
            lane.waiting = true;
            source->fetch(lane.position, [this, &lane](const event::Stretch& stretch) {
                lane.waiting = false;
                take(lane, stretch);
                pull(lane);
            });
        }
    }
    /// One stretch, if it is at hand.
    void take(Lane& lane, const event::Stretch& stretch) {
        if (stretch.after > lane.position || stretch.through <= lane.position ||
            stretch.through > source->level())
            broken = true;
        for (const auto& row : stretch.page->rows()) {
            if (row.id > lane.position && row.id <= stretch.through) lane.got.push_back(row.id);
            if (row.id > stretch.through) broken = true;
        }
        lane.position = stretch.through;
    }

    void on_live(const event::Stretch& stretch) override {
        live.push_back(stretch);
        pull_all();
    }
    void on_late(const event::PagePtr& rows, checkpoint::Batch& batch, event::Late how) override {
        very_late += how == event::Late::given_up ? rows->rows().size() : 0;
        int n = 0;
        for (auto& lane : lanes) {
            ++n;
            for (const auto& row : rows->rows()) {
                if (row.id <= lane.start || row.id > lane.position) continue;
                lane.got.push_back(row.id);
                lane.late.push_back(row.id);
                checkpoint::Pending owed;
                owed.plugin = "lane" + std::to_string(n);
                owed.event = row.id;
                owed.body = row.raw;
                batch.put_pending(std::move(owed));
            }
        }
    }
};

}  // namespace sg::test
