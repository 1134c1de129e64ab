#pragma once
// What somebody should know, and the message that tells them.

#include <cstddef>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <sg/logger.hpp>
#include <sg/types.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "util/result.hpp"

namespace sg::alerts {

/// One line of the log that is worth more than a line.
struct Alert {
    UtcTime when{};
    LogLevel level = LogLevel::error;
    std::string logger;  ///< `engine`, `plugin.<name>`
    std::string plugin;  ///< whom it is about; empty: the daemon
    std::string code;    ///< `SITE-DOWN`; empty where the line has none
    std::string text;    ///< UTF-8, of one or more lines; secrets are masked
};

/// Who speaks.
struct Origin {
    std::string version;
    std::string host;
    std::string site;  ///< its address
};

/// Alerts that came together, for the same people.
struct Message {
    std::vector<std::string> to;  ///< addresses; other channels than mail have no use for them
    std::vector<Alert> alerts;    ///< told in full, oldest first; at least one
    std::map<std::string, std::size_t> held_back;  ///< how many more there were, by `kind_of`
    std::size_t held = 0;                          ///< those in sum

    std::size_t count() const noexcept { return alerts.size() + held; }
};

/// `[CALL-SKIPPED] of shot_status`.
std::string kind_of(const Alert& alert);

/// One line that says it all: `ERROR: sgeventd on host7: [CALL-SKIPPED] of shot_status, and 999 more`.
std::string summary(const Message& message, const Origin& origin);

/// All of it for people, lines ended with `\n`.
std::string body_text(const Message& message, const Origin& origin);

/// All of it for programs.
nlohmann::json to_json(const Message& message, const Origin& origin);

/// A way to reach somebody.
///
/// Threads: one call at a time, from any thread.
class Sender {
public:
    virtual ~Sender() = default;

    /// Blocks until the other side has taken the message, a limit has passed, or a stop is requested.
    /// The failure's text holds no secret.
    virtual Result<void> send(const Message& message, std::stop_token stop) = 0;
};

}  // namespace sg::alerts
