#pragma once
// The commands of `sgeventd`, one file each. Every one returns the exit code of the process.

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "service/exit_code.hpp"
#include "service/notifier.hpp"

namespace sg::cli {

using service::ExitCode;

/// `run`: the daemon in the foreground, until a signal ends it.
struct RunOptions {
    std::vector<std::filesystem::path> configs;  ///< each that of a site
};
/// With `background`, who is told when it is ready, lines go to the log file alone.
ExitCode run_command(const RunOptions& options, std::optional<service::Notifier> background = std::nullopt);

/// `check-config`: everything that is wrong with configurations, or what they come down to.
struct CheckConfigOptions {
    std::vector<std::filesystem::path> configs;  ///< for one process; not read for `keys`
    bool keys = false;
    bool show = false;
};
ExitCode check_config_command(const CheckConfigOptions& options);

/// `demo`: a sandbox site with people at work, and a daemon with the shipped plugins beside it.
struct DemoOptions {
    std::optional<std::chrono::seconds> seconds;  ///< nullopt: until a signal
};
ExitCode demo_command(const DemoOptions& options);

}  // namespace sg::cli
