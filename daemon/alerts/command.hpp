#pragma once
// Alerts handed to a program.

#include <chrono>
#include <memory>

#include "alerts/alert.hpp"

namespace sg::alerts {

struct CommandSettings {
    std::vector<std::string> argv;  ///< the first is the program's absolute path; no shell looks at them
    std::chrono::milliseconds timeout{30'000};
};

/// Runs the program with `to_json(message)` on its standard input. It succeeds with exit code 0; past the
/// time limit it is killed with everything it has started. What it writes to standard error is in the
/// failure's text. Of the daemon's environment it gets what finds programs and speaks languages, and no more.
std::unique_ptr<Sender> make_command_sender(CommandSettings settings, Origin origin);

}  // namespace sg::alerts
