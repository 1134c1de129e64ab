#pragma once
// A plugin that has nothing to do with the trouble, kept busy all the time.

#include <sstream>

#include "plugins/rig.hpp"

namespace sg::test {

/// Feeds the plugin `good` of a rig as fast as it handles events, and holds its outcomes against what it was
/// given.
///
/// Threads: the test's.
class Neighbour {
public:
    explicit Neighbour(Rig& rig) : rig_(rig) {}

    /// Lets the loop run until `condition` holds, never letting the plugin run out of events.
    template <class Condition>
    bool run_until(Condition condition) {
        return wait_for([&] {
            for (int turn = 0; turn < 50; ++turn) {
                feed();
                rig_.loop.run_ready();
                if (condition()) return true;
            }
            return false;
        });
    }
    bool run_until_handled(std::size_t events) {
        return run_until([&] { return outcomes().size() >= events; });
    }

    std::size_t handled() const { return rig_.owner.outcomes["good"].size(); }

    /// Empty: every event succeeded, in the order given, none twice, in one host. Else what is wrong.
    std::string complaint() const {
        std::ostringstream out;
        if (rig_.owner.readies["good"] != 1) out << "started " << rig_.owner.readies["good"] << " times; ";
        EventId expected = 1;
        for (const auto& outcome : rig_.owner.outcomes["good"]) {
            if (outcome.event != expected || !outcome.ok) {
                out << "event " << outcome.event << " where " << expected << " was due";
                break;
            }
            ++expected;
        }
        return out.str();
    }

private:
    static constexpr std::size_t ahead = 512, batch_size = 64;

    std::vector<plugins::Outcome>& outcomes() { return rig_.owner.outcomes["good"]; }
    void feed() {
        while (given_ < outcomes().size() + ahead) {
            std::vector<plugins::Delivery> batch;
            for (std::size_t i = 0; i < batch_size; ++i)
                batch.push_back({make_event(static_cast<EventId>(++given_)), {0}, 1, false});
            rig_.deliver("good", std::move(batch));
        }
    }

    Rig& rig_;
    std::size_t given_ = 0;
};

}  // namespace sg::test
