#pragma once
// What a command beside the daemon needs first.

#include <filesystem>
#include <memory>
#include <tl/expected.hpp>

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

}  // namespace sg::cli
