#pragma once
// Which files of the configured directories are plugins.

#include <filesystem>
#include <sg/logger.hpp>
#include <string>
#include <vector>

namespace sg::plugins {

struct FoundPlugin {
    std::string id;  ///< the file's name without `.so`
    std::filesystem::path file;
};

/// Collections in their order, in each the files by name, byte by byte. Dot-files are passed over;
/// what has the suffix and cannot be a plugin, and a second file with the same id, gets one line
/// in the log each. Blocks on the disk.
std::vector<FoundPlugin> find_plugins(const std::vector<std::filesystem::path>& collections, Logger& log);

}  // namespace sg::plugins
