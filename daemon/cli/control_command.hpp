#pragma once
// The commands that speak to a running daemon.

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
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

/// Asks the daemon, and says on standard error why there is no answer; `code` then is what to end with.
std::optional<nlohmann::json> ask(const ControlOptions& options, const char* method, const std::string& path,
                                  const std::string& body, ExitCode& code);

/// The table of plugins, for people.
void print_plugins(const nlohmann::json& plugins);

/// `status`: 0 whenever a daemon answered, however it is; 69 where none does.
ExitCode status_command(const ControlOptions& options);

/// `poll`: asks; with `wait` it returns when all there is has been delivered: 69 if not in time.
struct PollOptions {
    ControlOptions control;
    bool wait = false;
    std::chrono::seconds timeout{60};
};
ExitCode poll_command(const PollOptions& options);

/// `log-level`: until the configuration is read again.
struct LogLevelOptions {
    ControlOptions control;
    std::string level;
    std::string plugin;  ///< empty: the daemon's own lines
};
ExitCode log_level_command(const LogLevelOptions& options);

/// `reload`: asks, and does not wait until it is loaded; `status` shows how it went.
struct ReloadOptions {
    ControlOptions control;
    std::string plugin;  ///< empty: every one
};
ExitCode reload_command(const ReloadOptions& options);

}  // namespace sg::cli
