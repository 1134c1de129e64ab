#pragma once
// The directory that holds the daemon's state, and the lock on it.

#include <cstdint>
#include <filesystem>
#include <sg/logger.hpp>
#include <string>

#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::checkpoint {

/// Whether files there may be changed by other machines; SQLite's log needs shared memory.
bool is_network_filesystem(std::uint64_t statfs_type) noexcept;

/// Holds the lock as long as it lives.
///
/// The file `lock` says who holds it. It also remembers that a database has begun, so that one
/// that is gone later is not mistaken for a first start.
///
/// Threads: one.
class StateDirectory {
public:
    /// Makes it if absent, private to the user, and takes the lock. Errors: see `open_refusal`.
    static Result<StateDirectory> open(std::filesystem::path path, Logger& log);

    std::filesystem::path database() const { return path_ / "state.db"; }
    const std::filesystem::path& path() const noexcept { return path_; }

    bool has_begun() const noexcept { return begun_; }

    /// Durable when it returns.
    Result<void> set_begun();

    /// Makes what was added or renamed in it durable.
    Result<void> sync() const;

    /// Whether the lock file is still the one that is locked.
    bool is_intact() const;

    /// Makes directory and lock again after somebody removed them.
    Result<void> restore();

private:
    Result<void> make_and_lock();
    Result<void> write_lock();

    std::filesystem::path path_;
    UniqueFd lock_;
    bool begun_ = false;
    std::string started_;
};

}  // namespace sg::checkpoint
