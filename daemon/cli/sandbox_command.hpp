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
    std::string data;                  ///< file that keeps the state; empty: in memory alone
    std::vector<std::string> scripts;  ///< `NAME=KEY` each; none: the script "sandbox" with "sandbox-key"
    std::string schema;                ///< file in the form of sandbox/schema.yaml; empty: the built-in one
    std::string time_zone = "UTC0";    ///< a POSIX rule, see sandbox/time_zone.hpp
    std::string webhook;               ///< URL that is told of events; empty: nobody
    std::string webhook_token_file;    ///< holds the token that signs what is told
    std::string webhook_token_env;     ///< the same, the name of an environment variable
    bool legacy_uploads = false;       ///< files go through the site, not to its storage
    bool quiet = false;                ///< only the URL and the scripts, no line per change
};

/// Serves until SIGINT or SIGTERM, which it takes from the calling thread while it runs. Call it from
/// the main thread, before others are started.
///
/// Returns 0 after a signal, 64 where a script is not `NAME=KEY` or the schema, the zone or the webhook's
/// token is wrong, 69 where the port cannot be had, 74 where the data file cannot be used.
int run_sandbox(const SandboxOptions& options);

}  // namespace sg::cli
