#pragma once
// The commands that speak to a running daemon.

#include <filesystem>
#include <string>

#include "cli/output.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

using service::ExitCode;

struct ControlOptions {
    std::filesystem::path config;  ///< says where the socket is
    std::filesystem::path socket;  ///< or this does
    Output output = Output::text;
};

/// `status`: 0 whenever a daemon answered, however it is; 69 where none does.
ExitCode status_command(const ControlOptions& options);

/// `poll`: asks, and does not wait for what is found.
ExitCode poll_command(const ControlOptions& options);

/// `reload`: asks, and does not wait until it is loaded; `status` shows how it went.
struct ReloadOptions {
    ControlOptions control;
    std::string plugin;  ///< empty: every one
};
ExitCode reload_command(const ReloadOptions& options);

}  // namespace sg::cli
