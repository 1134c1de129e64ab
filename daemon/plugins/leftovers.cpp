#include "plugins/leftovers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "host/link/host_fds.hpp"

namespace sg::plugins {
namespace fs = std::filesystem;

Result<HostsLock> HostsLock::open(const fs::path& file) {
    UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return fail(Cause::internal, "cannot open the lock {}: {}", file.string(), std::strerror(errno));
    return HostsLock(std::move(fd));
}

bool HostsLock::take() {
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) return false;
    return ::flock(fd_.get(), LOCK_SH) == 0;
}

bool HostsLock::holds(int pid) const {
    struct stat theirs {
    }, ours{};
    const auto link = fmt::format("/proc/{}/fd/{}", pid, host::lock_fd);
    return ::stat(link.c_str(), &theirs) == 0 && ::fstat(fd_.get(), &ours) == 0 &&
           theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

std::vector<int> HostsLock::holders() const {
    std::vector<int> pids;
    std::error_code error;
    for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        const auto name = at->path().filename().string();
        int pid = 0;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
        if (pid != ::getpid() && holds(pid)) pids.push_back(pid);
    }
    return pids;
}

bool HostsLock::kill(int pid) const {
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    // Looked at again behind the pidfd: the number may belong to somebody else by now.
    if (!process || !holds(pid)) return false;
    return ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0;
}

}  // namespace sg::plugins
