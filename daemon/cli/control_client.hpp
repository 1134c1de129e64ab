#pragma once
// Talks to a running daemon.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "util/result.hpp"

namespace sg::cli {

/// One request over the daemon's socket; the JSON of its answer. Blocks for at most ten seconds.
/// Errors: `network` where no daemon listens there, `permission` where the socket is somebody else's, and
/// otherwise the daemon's own words.
Result<nlohmann::json> ask_daemon(const std::filesystem::path& socket, const std::string& method,
                                  const std::string& path, const std::string& body = {});

}  // namespace sg::cli
