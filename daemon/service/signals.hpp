#pragma once
// Signals as something to read, and a daemon that obeys them.

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

/// Runs `service` on a thread of its own while this one attends to signals: TERM and INT stop it in
/// order, a second one ends the process at once with 130 (what was settled is saved, the rest is
/// given out again), USR1 polls now, HUP reads the configuration and loads every plugin anew, USR2 opens the
/// log files again.
ExitCode run_with_signals(Service& service, Signals& signals, logging::Logging& logging);

}  // namespace sg::service
