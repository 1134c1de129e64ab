#pragma once
// A clock that holds whoever looks at it.

#include <atomic>

#include "gate.hpp"
#include "temp_dir.hpp"
#include "util/clock.hpp"

namespace sg::test {

/// Waits at a door whenever it is asked for the time of day.
class GatedClock final : public Clock {
public:
    Time now() const override { return real_.now(); }
    std::chrono::system_clock::time_point utc() const override {
        if (is_gated) door.pass();
        return real_.utc();
    }
    std::optional<Duration> until(Time deadline) const override { return real_.until(deadline); }
    bool sleep_until(Time deadline, std::stop_token stop) override {
        return real_.sleep_until(deadline, std::move(stop));
    }
    int on_jump(std::function<void()> woken) override { return real_.on_jump(std::move(woken)); }
    void off_jump(int key) override { real_.off_jump(key); }
    void advance(Duration by) { real_.advance(by); }

    std::atomic<bool> is_gated{false};
    Gate door;
    TempDir root;

private:
    ManualClock real_;
};

}  // namespace sg::test
