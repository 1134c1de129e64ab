#pragma once
// Hosts of a daemon that is no more.

#include <filesystem>
#include <vector>

#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::plugins {

/// `hosts.lock`: every host holds it, shared, as long as it lives.
class HostsLock {
public:
    /// Opens or makes the file. Errors: `internal`, where the disk refused.
    static Result<HostsLock> open(const std::filesystem::path& file);

    /// True once no host of an earlier daemon lives; from then on the lock is ours, shared, and
    /// hosts inherit `fd`.
    bool take();

    /// Processes that hold the file open where a host does; ourselves not among them.
    std::vector<int> holders() const;

    /// Ends such a process, if it is still the same one.
    bool kill(int pid) const;

    int fd() const noexcept { return fd_.get(); }

private:
    explicit HostsLock(UniqueFd fd) : fd_(std::move(fd)) {}
    bool holds(int pid) const;
    UniqueFd fd_;
};

}  // namespace sg::plugins
