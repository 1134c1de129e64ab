#include "site/file_io.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "site/json_text.hpp"

namespace sg::site {
namespace {

std::string shown_path(const std::filesystem::path& path) { return printable(path.string(), 500); }

constexpr std::uint64_t flush_bytes = std::uint64_t{16} << 20;

std::string system_text(int error) { return std::strerror(error); }

}  // namespace

Result<SentFile> SentFile::open(const std::filesystem::path& path) {
    SentFile file;
    file.shown_ = shown_path(path);
    file.name_ = path.filename().string();
    // Not to wait for the other end of a pipe: whether it is a file is found out below.
    file.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.fd_) return fail(Cause::invalid, "{} cannot be read: {}", file.shown_, system_text(errno));
    if (::fstat(file.fd(), &file.before_) != 0)
        return fail(Cause::invalid, "{} cannot be read: {}", file.shown_, system_text(errno));
    if (!S_ISREG(file.before_.st_mode)) return fail(Cause::invalid, "{} is no regular file", file.shown_);
    if (file.before_.st_size == 0) return fail(Cause::invalid, "{} is empty", file.shown_);
    ::posix_fadvise(file.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return file;
}

Result<void> SentFile::check_unchanged() const {
    struct stat now {};
    const bool same = ::fstat(fd(), &now) == 0 && now.st_size == before_.st_size &&
                      now.st_mtim.tv_sec == before_.st_mtim.tv_sec &&
                      now.st_mtim.tv_nsec == before_.st_mtim.tv_nsec;
    if (same) return {};
    return fail(Cause::invalid, "{} was changed while it was sent", shown_);
}

Result<std::size_t> FileSlice::read(char* out, std::size_t most) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, length_ - given_));
    if (wanted == 0) return std::size_t{0};
    ssize_t n = 0;
    do {
        n = ::pread(file_.fd(), out, wanted, static_cast<off_t>(offset_ + given_));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(Cause::internal, "reading {}: {}", printable(file_.name(), 300), system_text(errno));
    if (n == 0)
        return fail(Cause::invalid, "{} became shorter while it was sent", printable(file_.name(), 300));
    given_ += static_cast<std::uint64_t>(n);
    if (on_read) on_read(given_);
    return static_cast<std::size_t>(n);
}

NewFile::NewFile(std::filesystem::path path, std::filesystem::path temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

Result<NewFile> NewFile::create(const std::filesystem::path& path) {
    if (path.filename().empty()) return fail(Cause::invalid, "'{}' names no file", shown_path(path));
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return fail(Cause::invalid, "{} is a directory", shown_path(path));
    std::random_device random;
    for (int i = 0; i < 100; ++i) {
        auto temporary = path;
        // A long name leaves room for what is put around it.
        temporary.replace_filename(
            fmt::format(".{}.{:08x}.part", path.filename().string().substr(0, 200), random()));
        const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) return NewFile(path, std::move(temporary), fd);
        if (errno != EEXIST) break;
    }
    return fail(Cause::invalid, "{} cannot be written: {}", shown_path(path), system_text(errno));
}

NewFile::~NewFile() {
    if (fd_) ::unlink(temporary_.c_str());
}

Result<void> NewFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd_.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Cause::internal, "writing {}: {}", shown_path(path_), system_text(errno));
        size_ += static_cast<std::uint64_t>(n);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    // The disk begins early, or the last step would hold up a stop for as long as all of it takes.
    if (size_ - flushed_ >= flush_bytes) {
        ::sync_file_range(fd_.get(), static_cast<off_t>(flushed_), static_cast<off_t>(size_ - flushed_),
                          SYNC_FILE_RANGE_WRITE);
        flushed_ = size_;
    }
    return {};
}

Result<void> NewFile::restart() {
    if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0)
        return fail(Cause::internal, "writing {}: {}", shown_path(path_), system_text(errno));
    size_ = flushed_ = 0;
    return {};
}

Result<void> NewFile::check_room(std::uint64_t more) const {
    struct statvfs disk {};
    if (::fstatvfs(fd_.get(), &disk) != 0 || disk.f_frsize == 0) return {};  // writing will tell
    const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    if (more <= free) return {};
    return fail(Cause::internal, "writing {}: {} bytes are to come, and {} are free on the disk",
                shown_path(path_), more, free);
}

Result<void> NewFile::finish() {
    if (::fsync(fd_.get()) != 0)
        return fail(Cause::internal, "writing {} to the disk: {}", shown_path(path_), system_text(errno));
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        return fail(Cause::internal, "naming {}: {}", shown_path(path_), system_text(errno));
    fd_.reset();
    const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
    const UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some filesystems know no such thing; the name is there in any case.
    if (directory) ::fsync(directory.get());
    return {};
}

}  // namespace sg::site
