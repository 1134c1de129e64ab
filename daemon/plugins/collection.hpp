#pragma once
// Which files of the configured directories are plugins.

#include <filesystem>
#include <map>
#include <set>
#include <sg/logger.hpp>
#include <string>
#include <vector>

namespace sg::plugins {

struct FoundPlugin {
    std::string id;  ///< the file's name without `.so`
    std::filesystem::path file;
    /// Other text for another file or other content, as far as `stat` tells; the plugin's private
    /// libraries (see `libraries_of`) are part of it.
    std::string identity;
};

/// What the directories hold at one moment.
struct Scan {
    std::vector<FoundPlugin> plugins;        ///< in processing order
    std::set<std::string> unfit;             ///< ids of files that are there and cannot be plugins now
    std::set<std::filesystem::path> closed;  ///< directories that are missing, unreadable or empty
};

/// Whether a file or directory that everyone may write to is taken.
enum class WorldWritable { refused, allowed };

/// `<plugin>.libs` beside the plugin's file: libraries of its own, found through `$ORIGIN/<plugin>.libs`.
std::filesystem::path libraries_of(const std::filesystem::path& plugin_file);

/// The configured directories.
///
/// Collections in their order, in each the files by name, byte by byte. Dot-files are passed over.
/// What has the suffix and cannot be a plugin, a second file with the same id, and a directory that
/// cannot be read get one line in the log: at the first scan, later when two in a row have seen it (somebody
/// may be copying). A directory gets another one when it can be read again.
///
/// Threads: one at a time. Blocks on the disk.
class Collections {
public:
    Collections(std::vector<std::filesystem::path> directories, Logger& log,
                WorldWritable world_writable = WorldWritable::refused);

    const std::vector<std::filesystem::path>& directories() const noexcept { return directories_; }
    Scan scan();

private:
    void scan_one(const std::filesystem::path& directory, Scan& scan,
                  std::map<std::string, std::filesystem::path>& by_id);
    void close(const std::filesystem::path& directory, const std::string& why, Scan& scan);

    /// Notes that it is so; true when it is time to say it.
    bool is_to_tell(const std::string& condition);

    std::vector<std::filesystem::path> directories_;
    Logger& log_;
    const WorldWritable world_writable_;
    std::map<std::string, int> before_, now_;  // conditions and how many scans in a row have seen them
    std::set<std::filesystem::path> held_;     // directories that have had plugins
    bool first_ = true;
};

}  // namespace sg::plugins
