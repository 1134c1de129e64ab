#pragma once
// What the service manager is told while the daemon runs.

#include <functional>
#include <string>

#include "service/notifier.hpp"
#include "util/loop.hpp"

namespace sg::service {

/// Says on the loop, and only while it turns, that the daemon is alive, and how it is when that changes.
///
/// Loop thread only. Lifetime: outlived by loop and notifier.
class SignOfLife {
public:
    SignOfLife(Loop& loop, const Notifier& notifier) : loop_(loop), notifier_(notifier) {}

    void start() {
        if (const auto limit = notifier_.watchdog()) beat(*limit / 2);
    }

    void tell(const std::string& status) {
        if (status == told_) return;
        told_ = status;
        notifier_.status(status);
    }

private:
    void beat(std::chrono::microseconds pause) {
        notifier_.alive();
        timer_ = loop_.after(pause, [this, pause] { beat(pause); });
    }

    Loop& loop_;
    const Notifier& notifier_;
    Loop::Handle timer_;
    std::string told_;
};

}  // namespace sg::service
