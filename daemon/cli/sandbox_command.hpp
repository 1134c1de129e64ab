#pragma once
// `sgeventd sandbox`: a local site to try things on.

#include <cstdint>
#include <string>
#include <vector>

namespace sg::cli {

struct SandboxOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;            ///< 0: the system picks one
    double rate = 0;                   ///< changes per second that its people make; 0: an empty site
    std::uint64_t seed = 1;            ///< the same seed plays the same production
    std::vector<std::string> scripts;  ///< `NAME=KEY` each; none: the script "sandbox" with "sandbox-key"
    std::string schema;                ///< file in the form of sandbox/schema.yaml; empty: the built-in one
    std::string time_zone = "UTC0";    ///< a POSIX rule, see sandbox/time_zone.hpp
    bool quiet = false;                ///< only the URL and the scripts, no line per change
};

/// Serves until SIGINT or SIGTERM, which it takes from the calling thread while it runs. Call it from
/// the main thread, before others are started.
///
/// Returns 0 after a signal, 64 where a script is not `NAME=KEY` or the schema or the zone is wrong, 69 where
/// the port cannot be had.
int run_sandbox(const SandboxOptions& options);

}  // namespace sg::cli
