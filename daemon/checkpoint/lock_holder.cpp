#include "checkpoint/lock_holder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace sg::checkpoint {
namespace {

/// What stands behind `key=` in the lock file.
std::string field(const std::string& text, const std::string& key) {
    const auto at = text.find("\n" + key + "=");
    if (at == std::string::npos) return {};
    const auto from = at + key.size() + 2;
    return text.substr(from, text.find('\n', from) - from);
}

/// A shared lock is refused while a daemon has its own; it is let go of at once.
bool is_held(int fd) {
    if (::flock(fd, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
    ::flock(fd, LOCK_UN);
    return false;
}

/// Whether the kernel, too, says that `pid` has a lock on the file: in another container's state directory
/// the number may be that of somebody else here.
bool has_lock(int pid, int fd) {
    struct stat info {};
    std::ifstream locks("/proc/locks");
    if (::fstat(fd, &info) != 0 || !locks) return false;
    const auto end =
        ":" + std::to_string(info.st_ino);  // devices look different from within some file systems
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line);
        std::string number, kind, mode, access, place;
        int owner = 0;
        if (words >> number >> kind >> mode >> access >> owner >> place && kind == "FLOCK" && owner == pid &&
            place.ends_with(end))
            return true;
    }
    return false;
}

std::string content(int fd) {
    std::array<char, 512> text{};
    const auto got = ::pread(fd, text.data(), text.size(), 0);
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

}  // namespace

Result<std::optional<LockHolder>> lock_holder(const std::filesystem::path& state_directory) {
    const auto file = state_directory / "lock";
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::optional<LockHolder>();
    if (!fd) return fail(Cause::permission, "cannot read {}: {}", file.string(), std::strerror(errno));
    if (!is_held(fd.get())) return std::optional<LockHolder>();
    const auto text = content(fd.get());
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    if (const auto theirs = field(text, "host"); theirs != host.data())
        return fail(Cause::invalid, "the daemon of {} runs on {}, not here", state_directory.string(),
                    theirs);
    const auto number = field(text, "pid");
    LockHolder holder;
    std::from_chars(number.data(), number.data() + number.size(), holder.pid);
    if (holder.pid <= 0) return fail(Cause::bad_answer, "{} does not say who holds it", file.string());
    holder.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
    // Held still, by the same: so the process that is held on to is the one that had the lock.
    if (!is_held(fd.get())) return std::optional<LockHolder>();
    if (!holder.process || !has_lock(holder.pid, fd.get()) || field(content(fd.get()), "pid") != number)
        return fail(Cause::busy, "{} is in use, and pid {} is not proven to be who uses it: nothing was done",
                    state_directory.string(), holder.pid);
    return std::optional<LockHolder>(std::move(holder));
}

}  // namespace sg::checkpoint
