#pragma once
// Events of the past, through plugins.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "service/exit_code.hpp"
#include "service/replay.hpp"

namespace sg::cli {

using service::ExitCode;

struct ReplayCommandOptions {
    std::filesystem::path config;
    std::vector<std::string> ids;  ///< `101` or `101-120`; or …
    std::string since, until;      ///< … a span of time, `until` empty for up to now; or …
    std::string file;              ///< … a recording; `-` is standard input
    service::ReplayOptions replay;
    bool show_all = false;
    Output output = Output::text;
};

/// `replay`: 0 when every id was there and nothing failed; 65 for an id that is not, a plugin that cannot be
/// loaded, or a callback that failed.
ExitCode replay_command(const ReplayCommandOptions& options);

/// Ranges in ascending order, apart from one another; nullopt where one makes no sense, which `wrong` then
/// is.
std::optional<std::vector<stream::IdRange>> parse_ids(const std::vector<std::string>& words,
                                                      std::string& wrong);

/// A time as a person writes it: `2026-03-04T05:06:07Z` (UTC), the day alone, or how long before `now`, as
/// `2h`. Nullopt for anything else.
std::optional<std::chrono::sys_seconds> parse_time(const std::string& word, std::chrono::sys_seconds now);

}  // namespace sg::cli
