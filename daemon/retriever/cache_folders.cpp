#include "retriever/cache_folders.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>

namespace sg::retriever {
namespace {

namespace fs = std::filesystem;

/// How often a folder that others remove is made anew.
constexpr int most_tries = 100;

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

tl::unexpected<Failure> refused(std::string_view what, const fs::path& path, int error) {
    return fail(Cause::internal, "{} {}: {}", what, path.string(), std::strerror(error));
}

bool is_folder(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// 0 or why not.
int make_folder(const fs::path& path, unsigned mode) {
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0) return errno == EEXIST ? 0 : errno;
    ::chmod(path.c_str(), static_cast<mode_t>(mode));  // as far as the file system has modes
    return 0;
}

Entry entry_of(std::string name, const struct stat& status) {
    return {std::move(name), used_at(status), static_cast<std::uint64_t>(status.st_size)};
}

bool is_entry(const struct stat& status) { return S_ISREG(status.st_mode) && status.st_size > 0; }

timespec to_timespec(WallTime time) {
    const auto since = time.time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since);
    timespec out{};
    out.tv_sec = static_cast<time_t>(whole.count());
    out.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - whole).count());
    return out;
}

}  // namespace

WallTime used_at(const struct stat& status) {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

std::string unique_name() {
    std::array<std::uint64_t, 2> random{};
    if (::getrandom(random.data(), sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
        std::random_device device;
        for (auto& part : random) part = (std::uint64_t{device()} << 32U) | device();
    }
    return fmt::format("{:016x}{:016x}", random[0], random[1]);
}

Result<void> make_folders(const fs::path& root, const fs::path& below, unsigned mode) {
    if (is_folder(root / below)) return {};
    std::error_code error;
    if (root.has_parent_path()) fs::create_directories(root.parent_path(), error);
    // A cleaner, of this process or of another, may take an empty folder away in the middle of this.
    for (int tries = 0; tries < most_tries; ++tries) {
        auto path = root;
        int problem = make_folder(path, mode);
        for (auto part = below.begin(); part != below.end() && problem == 0; ++part) {
            path /= *part;
            problem = make_folder(path, mode);
        }
        if (problem == 0 && !is_folder(path)) problem = errno == ENOENT ? ENOENT : ENOTDIR;
        if (problem == 0) return {};
        if (problem != ENOENT) return refused("cannot make the folder", path, problem);
    }
    return refused("cannot make the folder", root / below, ENOENT);
}

Result<std::vector<Entry>> list_entries(const fs::path& folder, std::string_view start) {
    std::vector<Entry> entries;
    const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
    if (!open) {
        if (errno == ENOENT) return entries;
        return refused("cannot look into", folder, errno);
    }
    for (;;) {
        errno = 0;
        const auto* found = ::readdir(open.get());
        if (found == nullptr && errno != 0) return refused("cannot look into", folder, errno);
        if (found == nullptr) return entries;
        const std::string_view name = &found->d_name[0];
        struct stat status {};
        if (name.starts_with(start) &&
            ::fstatat(::dirfd(open.get()), &found->d_name[0], &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            is_entry(status))
            entries.push_back(entry_of(std::string(name), status));
    }
}

Result<std::vector<Entry>> one_entry(const fs::path& file) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) != 0) {
        if (errno == ENOENT) return std::vector<Entry>();
        return refused("cannot look at", file, errno);
    }
    if (!is_entry(status)) return std::vector<Entry>();
    return std::vector{entry_of(file.filename().string(), status)};
}

bool touch(const fs::path& file, WallTime now) {
    const std::array times{to_timespec(now), to_timespec(now)};
    if (::utimensat(AT_FDCWD, file.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) return true;
    // Another user's file may be marked with the machine's own time and with no other.
    return errno != ENOENT &&
           (::utimensat(AT_FDCWD, file.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT);
}

Result<Arrival> Arrival::begin(const fs::path& root, unsigned dir_mode) {
    if (auto made = make_folders(root, "tmp", dir_mode); !made)
        return tl::unexpected(std::move(made.error()));
    return Arrival(root, root / "tmp" / unique_name(), dir_mode);
}

Arrival::~Arrival() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<std::uint64_t> Arrival::seal(unsigned mode, WallTime now) {
    const UniqueFd fd(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return refused("cannot open", temporary_, errno);
    if (!S_ISREG(status.st_mode)) return fail(Cause::internal, "{} is no regular file", temporary_.string());
    // Neither is worth failing for.
    ::fchmod(fd.get(), static_cast<mode_t>(mode));
    const std::array times{to_timespec(now), to_timespec(now)};
    ::futimens(fd.get(), times.data());
    if (::fsync(fd.get()) != 0) return refused("cannot write to the disk", temporary_, errno);
    return static_cast<std::uint64_t>(status.st_size);
}

Result<fs::path> Arrival::place(const fs::path& below, const std::string& name) {
    auto path = root_ / below / name;
    for (int tries = 0; ::rename(temporary_.c_str(), path.c_str()) != 0; ++tries) {
        const int problem = errno;
        struct stat status {};
        if (problem != ENOENT || tries == most_tries || ::lstat(temporary_.c_str(), &status) != 0)
            return refused("cannot name", path, problem);
        if (auto made = make_folders(root_, below, dir_mode_); !made)
            return tl::unexpected(std::move(made.error()));
    }
    temporary_.clear();
    const UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some file systems know no such thing; the name is there in any case.
    if (folder) ::fsync(folder.get());
    return path;
}

}  // namespace sg::retriever
