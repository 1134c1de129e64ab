#pragma once
// Ctrl-C as a stop token.

#include <poll.h>
#include <csignal>
#include <stop_token>
#include <thread>

#include "service/signals.hpp"
#include "util/thread.hpp"

namespace sg::cli {

/// Ends what runs when somebody presses Ctrl-C, or the system asks.
class Interruption {
public:
    Interruption()
        : thread_(start_thread("interruption", [this](const std::stop_token& end) { watch(end); })) {}
    std::stop_token token() const { return stop_.get_token(); }

private:
    void watch(const std::stop_token& end) {
        while (!end.stop_requested()) {
            pollfd ready{signals_.fd(), POLLIN, 0};
            if (::poll(&ready, 1, 20) != 1) continue;
            const int signal = signals_.take();
            if (signal == SIGINT || signal == SIGTERM) stop_.request_stop();
        }
    }
    service::Signals signals_;
    std::stop_source stop_;
    std::jthread thread_;
};

}  // namespace sg::cli
