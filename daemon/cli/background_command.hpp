#pragma once
// A daemon that is started and stopped from a shell, without a service manager.

#include <chrono>
#include <filesystem>
#include <vector>

#include "service/exit_code.hpp"

namespace sg::cli {

using service::ExitCode;

struct StartOptions {
    std::vector<std::filesystem::path> configs;  ///< each that of a site; one process for all
    std::chrono::seconds timeout{120};
};
/// `start`: returns when the daemon is ready, or with its exit code and what it said when it could not become
/// so. One that is not ready in time is ended (69).
ExitCode start_command(const StartOptions& options);

struct StopOptions {
    std::filesystem::path config;     ///< says where the state is
    std::filesystem::path state_dir;  ///< or this does: then the configuration may be as broken as it likes
    std::chrono::seconds timeout{120};
};
/// `stop`: returns when the daemon that uses the state directory has ended, or none did. 69 where it does not
/// end in time. Only a process that is proven to be that daemon is signalled.
ExitCode stop_command(const StopOptions& options);

/// `restart`: `stop`, then `start`. A configuration that is wrong stops nothing.
ExitCode restart_command(const StartOptions& options);

}  // namespace sg::cli
