#pragma once
// What a command beside the daemon needs first.

#include <filesystem>
#include <memory>
#include <tl/expected.hpp>

#include "checkpoint/store.hpp"
#include "config/config.hpp"
#include "logging/logging.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

struct AtHand {
    config::Config config;
    std::unique_ptr<logging::Logging> logging;  ///< warnings and worse, on standard error, secrets masked
};

/// Reads the configuration, keys included. What is wrong has been said when it returns an exit code:
/// `config`, or `io` where nothing can be logged.
tl::expected<AtHand, service::ExitCode> open_at_hand(const std::filesystem::path& config);

/// The state directory, while no daemon runs; null where there is none yet, and none is made. What is wrong
/// has been said when it returns an exit code: `locked`, `state_refused` or `io`. The store is outlived by
/// clock and logger.
tl::expected<std::unique_ptr<checkpoint::Store>, service::ExitCode> open_state(
    const std::filesystem::path& directory, Clock& clock, Logger& log);

}  // namespace sg::cli
