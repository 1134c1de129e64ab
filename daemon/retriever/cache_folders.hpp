#pragma once
// Folders and entries of a cache on disk.

#include <sys/stat.h>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::retriever {

using WallTime = std::chrono::system_clock::time_point;

/// A regular file that is not empty.
struct Entry {
    std::string name;
    WallTime used;
    std::uint64_t bytes = 0;
};

/// A name that no file has had, for what is on its way.
std::string unique_name();

/// Makes `root / below` and what is missing above it. What it makes from `root` on gets `mode`, whatever
/// the umask; folders above `root` get what the process gives to any.
Result<void> make_folders(const std::filesystem::path& root, const std::filesystem::path& below,
                          unsigned mode);

/// The entries of a folder whose names start so; none where there is no such folder.
Result<std::vector<Entry>> list_entries(const std::filesystem::path& folder, std::string_view start);

/// The entry of that very name. Errors: the disk cannot be looked at.
Result<std::vector<Entry>> one_entry(const std::filesystem::path& file);

/// Marks a file used, as far as that is allowed. False: it is gone.
bool touch(const std::filesystem::path& file, WallTime now);

/// A file on its way to its name, below `<root>/tmp` till then. Goes without a trace if it does not get
/// there.
///
/// Threads: one.
class Arrival {
public:
    static Result<Arrival> begin(const std::filesystem::path& root, unsigned dir_mode);
    Arrival(Arrival&&) noexcept = default;
    Arrival& operator=(Arrival&&) = delete;
    ~Arrival();

    /// Where to write it; there is no file yet.
    const std::filesystem::path& path() const noexcept { return temporary_; }

    /// Its length, once it is on the disk with its mode and time. Errors: there is no regular file.
    Result<std::uint64_t> seal(unsigned mode, WallTime now);

    /// Gives it its name, `root / below / name`, in place of what has it.
    Result<std::filesystem::path> place(const std::filesystem::path& below, const std::string& name);

private:
    Arrival(std::filesystem::path root, std::filesystem::path temporary, unsigned dir_mode)
        : root_(std::move(root)), temporary_(std::move(temporary)), dir_mode_(dir_mode) {}

    std::filesystem::path root_, temporary_;  // the latter empty once it has arrived
    unsigned dir_mode_;
};

/// The time a file was last written or used.
WallTime used_at(const struct stat& status);

}  // namespace sg::retriever
