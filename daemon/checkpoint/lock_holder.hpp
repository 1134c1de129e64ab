#pragma once
// Who holds the lock of a state directory, for whoever wants it to let go.

#include <filesystem>
#include <optional>

#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::checkpoint {

/// A process that is proven to be the daemon of a directory: it held the lock while we held on to it.
struct LockHolder {
    int pid = 0;
    UniqueFd process;  ///< a pidfd: a signal through it reaches this process or nobody
};

/// The daemon that uses `state_directory`; nullopt: none does. Changes nothing. Blocks on the disk.
/// Errors: the lock cannot be read, or its holder is on another machine or out of sight.
Result<std::optional<LockHolder>> lock_holder(const std::filesystem::path& state_directory);

}  // namespace sg::checkpoint
