#pragma once
// The commands that steer the plugins of a running daemon.

#include <chrono>
#include <optional>
#include <string>

#include "cli/control_command.hpp"

namespace sg::cli {

/// Waits until the order that the daemon has taken is over; what came of it, with "error" where `code` is 65.
/// Nothing, and said why, where the daemon is gone or it is not over in time: `code` is 69.
std::optional<nlohmann::json> outcome_of_order(const ControlOptions& options, const nlohmann::json& taken,
                                               std::chrono::seconds at_most, ExitCode& code);

/// Until the order that the daemon has taken is over, whose outcome is printed: 0, 65 where it cannot be
/// done, 69 where it is not over in time.
ExitCode wait_for_order(const ControlOptions& options, const nlohmann::json& taken,
                        std::chrono::seconds at_most);

struct PluginsOptions {
    enum class Act { list, pause, resume, seek, skip, retry, enable, disable };
    ControlOptions control;
    Act act = Act::list;
    std::string plugin;
    std::string to;                    ///< `seek`: an id, a time, latest or earliest
    std::chrono::seconds timeout{30};  ///< how long it is waited for
};

/// `plugins list, pause, resume, seek, skip`: returns when it is done, and durable. 65 where it cannot be
/// done; 69 where no daemon answers, or it is not done in time: then it still will be.
ExitCode plugins_command(const PluginsOptions& options);

}  // namespace sg::cli
