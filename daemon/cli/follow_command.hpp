#pragma once
// The site's events as they come.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "service/exit_code.hpp"
#include "service/follow.hpp"

namespace sg::cli {

struct RecordOptions {
    std::filesystem::path config;
    std::string file;  ///< added to, made if it is not there; `-`: standard output
    service::FollowOptions follow;
};

/// `record`: a line of JSON for each event, the row as the site sent it; what `replay --file` reads. 0 when
/// it was told to end or has `count` events; 74 when the file cannot be written.
service::ExitCode record_command(const RecordOptions& options);

struct TailOptions {
    std::filesystem::path config;
    std::vector<std::string> types;  ///< empty: all
    std::vector<EntityId> projects;  ///< empty: all
    service::FollowOptions follow;   ///< of its count only events that are shown are counted
    Output output = Output::text;
};

/// `tail`: a line for each event, for people or as JSON. Exit codes as `record`.
service::ExitCode tail_command(const TailOptions& options);

}  // namespace sg::cli
