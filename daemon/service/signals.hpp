#pragma once
// Signals as something to read, and a daemon that obeys them.

#include <vector>

#include "logging/logging.hpp"
#include "service/service.hpp"
#include "util/fd.hpp"

namespace sg::service {

/// Takes SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 out of their default course, and ignores SIGPIPE.
///
/// Threads:  make one on the main thread, before any other thread starts.
class Signals {
public:
    Signals();

    int fd() const noexcept { return fd_.get(); }  ///< readable while a signal waits
    int take();                                    ///< its number; 0 if there is none

private:
    UniqueFd fd_;
};

/// A service and where it logs.
struct Attended {
    Service& service;
    logging::Logging& logging;
};

/// Runs each service on a thread of its own while this one attends to signals, for all of them: TERM and INT
/// stop them in order, a second one ends the process at once with 130 (what was settled is saved, the rest is
/// given out again), USR1 polls now, HUP reads the configuration and loads every plugin anew, USR2 opens the
/// log files again.
///
/// A service that ends by itself leaves the others alone. Returns when all have ended, with the first code
/// that is not `ok`; where a thread of a plugin runs on for ever, the process ends instead, with that code.
ExitCode run_with_signals(const std::vector<Attended>& services, Signals& signals);

}  // namespace sg::service
