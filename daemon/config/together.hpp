#pragma once
// Several configurations for one process, each that of a site.

#include <filesystem>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace sg::config {

/// Reads all of them. Blocks on the disk.
/// Errors: everything that is wrong in any; where all are right, each place on the machine that two of them
/// would use: state, cache, log, pid file, sockets, ports.
tl::expected<std::vector<Loaded>, std::vector<Problem>> load_together(
    const std::vector<std::filesystem::path>& files, const Environment& environment = process_environment);

/// What people call the site of each: the file's name without its ending, or the whole path where two would
/// have the same. Empty for a file that is alone.
std::vector<std::string> site_names(const std::vector<std::filesystem::path>& files);

}  // namespace sg::config
