#pragma once
// One build of a plugin: a checked, private copy of its file.

#include <filesystem>
#include <memory>
#include <string>

#include "util/result.hpp"

namespace sg::plugins {

/// The copy is what is loaded: whoever overwrites the plugin's file changes no running code. It is
/// removed with this object. The plugin's private libraries (`<plugin>.libs` beside its file) are copied
/// with it, to the same place beside the copy.
class Build {
public:
    /// Reads `file` and its libraries once, checks the file, and writes them to the directory
    /// `<plugin>.<generation>.<hash8>` in `cache`. None of the plugin's code runs. Blocks on the disk.
    /// Errors: `invalid`, naming the file and what is wrong with it; `internal`, where the disk refused.
    static Result<std::shared_ptr<const Build>> make(const std::string& plugin,
                                                     const std::filesystem::path& file,
                                                     const std::filesystem::path& cache,
                                                     std::uint64_t generation);
    Build(std::filesystem::path copy, std::string hash) : copy_(std::move(copy)), hash_(std::move(hash)) {}
    Build(const Build&) = delete;
    Build& operator=(const Build&) = delete;
    ~Build();

    const std::filesystem::path& copy() const noexcept { return copy_; }
    const std::string& hash() const noexcept { return hash_; }  ///< SHA-256 of file and libraries, hex

private:
    std::filesystem::path copy_;
    std::string hash_;
};

/// Makes the directory of the copies, private to the user, and removes what an earlier daemon left there.
Result<void> prepare_cache(const std::filesystem::path& cache);

}  // namespace sg::plugins
