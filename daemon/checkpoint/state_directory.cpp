#include "checkpoint/state_directory.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace sg::checkpoint {

namespace {

constexpr std::string_view begun_mark = "begun=yes", not_begun_mark = "begun=no ";  // of one width

std::string reason() { return std::strerror(errno); }

std::string read_small(int fd) {
    std::array<char, 512> text{};
    const auto got = ::pread(fd, text.data(), text.size(), 0);
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

/// Who holds the lock, on one line: "pid=12 host=box since=…".
std::string holder(std::string lock) {
    lock.erase(0, std::min(lock.size(), begun_mark.size() + 1));
    std::replace(lock.begin(), lock.end(), '\n', ' ');
    while (!lock.empty() && lock.back() == ' ') lock.pop_back();
    return lock.empty() ? "unknown" : lock;
}

}  // namespace

bool is_network_filesystem(std::uint64_t type) noexcept {
    // From linux/magic.h where it has them; the rest is what these file systems report.
    constexpr std::array<std::uint64_t, 16> network{
        0x6969,      // NFS
        0x517B,      // SMB
        0xFE534D42,  // SMB2
        0xFF534D42,  // CIFS
        0x5346414F,  // AFS
        0x6B414653,  // kAFS
        0x564C,      // NCP
        0x73757245,  // Coda
        0x01021997,  // 9P
        0x00C36400,  // Ceph
        0x0BD00BD0,  // Lustre
        0x47504653,  // GPFS
        0x01161970,  // GFS2
        0x7461636F,  // OCFS2
        0x19830326,  // BeeGFS
        0xAAD7AAEA,  // PanFS
    };
    // f_type is signed on some machines; the upper half is then all ones.
    return std::find(network.begin(), network.end(), type & 0xFFFFFFFFU) != network.end();
}

Result<StateDirectory> StateDirectory::open(std::filesystem::path path, Logger& log) {
    StateDirectory out;
    out.path_ = std::move(path);
    out.started_ = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
    if (auto made = out.make_and_lock(); !made) return tl::unexpected(made.error());
    struct statfs fs {};
    constexpr std::uint64_t fuse = 0x65735546;
    if (::statfs(out.path_.c_str(), &fs) == 0 &&
        (static_cast<std::uint64_t>(fs.f_type) & 0xFFFFFFFFU) == fuse)
        log.warning(
            "[STATE-FUSE] The state directory is on a user-space file system; it must not be shared "
            "with another machine. path={}",
            out.path_.string());
    return out;
}

Result<void> StateDirectory::make_and_lock() {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error)
        return fail(Cause::internal, "cannot make the state directory {}: {}", path_.string(),
                    error.message());
    struct statfs fs {};
    if (::statfs(path_.c_str(), &fs) == 0 && is_network_filesystem(static_cast<std::uint64_t>(fs.f_type)))
        return fail(Cause::invalid,
                    "the state directory {} is on a network file system; it must be on a local disk",
                    path_.string());
    if (::chmod(path_.c_str(), 0700) != 0)
        return fail(Cause::permission, "cannot make the state directory {} private: {}", path_.string(),
                    reason());

    const auto file = path_ / "lock";
    UniqueFd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return fail(Cause::permission, "cannot open {}: {}", file.string(), reason());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail(Cause::internal, "cannot lock {}: {}", file.string(), reason());
        return fail(Cause::busy, "another daemon uses the state directory {} ({})", path_.string(),
                    holder(read_small(lock.get())));
    }
    begun_ = begun_ || read_small(lock.get()).find(begun_mark) != std::string::npos;
    lock_ = std::move(lock);
    return write_lock();
}

Result<void> StateDirectory::write_lock() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    // The mark comes first and has one width: writing over it never leaves it out, whenever we are killed.
    const auto text = fmt::format("{}\npid={}\nhost={}\nsince={}\n", begun_ ? begun_mark : not_begun_mark,
                                  ::getpid(), host.data(), started_);
    if (::fchmod(lock_.get(), 0600) != 0 ||
        ::pwrite(lock_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
        ::ftruncate(lock_.get(), static_cast<off_t>(text.size())) != 0 || ::fsync(lock_.get()) != 0)
        return fail(Cause::internal, "cannot write the lock in {}: {}", path_.string(), reason());
    return sync();
}

Result<void> StateDirectory::set_begun() {
    if (begun_) return {};
    begun_ = true;
    auto written = write_lock();
    begun_ = written.has_value();
    return written;
}

Result<void> StateDirectory::sync() const {
    const UniqueFd directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0)
        return fail(Cause::internal, "cannot sync the state directory {}: {}", path_.string(), reason());
    return {};
}

bool StateDirectory::is_intact() const {
    struct stat held {
    }, there{};
    return ::fstat(lock_.get(), &held) == 0 && ::stat((path_ / "lock").c_str(), &there) == 0 &&
           held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

Result<void> StateDirectory::restore() { return is_intact() ? Result<void>{} : make_and_lock(); }

}  // namespace sg::checkpoint
