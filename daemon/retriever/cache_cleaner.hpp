#pragma once
// Takes what is old, or too much, out of a cache.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "retriever/cache_folders.hpp"
#include "retriever/folder_claims.hpp"
#include "util/result.hpp"

namespace sg::retriever {

struct CleaningRules {
    std::uint64_t max_bytes = 0;
    std::chrono::system_clock::duration max_age{};
    WallTime now;
};

struct Removed {
    std::size_t files = 0;
    std::uint64_t bytes = 0;
};

/// Looks at `thumbs`, `attachments` and `tmp` below `root` and at nothing else, and follows no link there.
/// What others do in the meantime is respected: a file that is used or replaced while it is being removed
/// stays. Single files that cannot be removed are passed over. A stop ends it where it is.
///
/// Errors: a folder is there and cannot be read.
Result<Removed> clean_cache(const std::filesystem::path& root, const CleaningRules& rules,
                            FolderClaims& claims, std::stop_token stop);

}  // namespace sg::retriever
