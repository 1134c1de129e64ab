#include "sandbox/content.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace sg::sandbox {
namespace {

[[noreturn]] void disk_refused(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

ContentDirectory::ContentDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "sgeventd-sandbox-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) disk_refused("making a directory for uploads");
    path_ = pattern;
}
ContentDirectory::~ContentDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

StoredBody::StoredBody(const std::filesystem::path& directory) {
    auto pattern = (directory / "XXXXXX").string();
    fd_.reset(::mkostemp(pattern.data(), O_CLOEXEC));
    if (!fd_) disk_refused("making a file for an upload");
    ::unlink(pattern.c_str());
}

std::uint64_t StoredBody::size() const {
    struct stat found {};
    return ::fstat(fd(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

std::size_t StoredBody::read(std::uint64_t offset, char* out, std::size_t most) const {
    std::size_t done = 0;
    while (done < most) {
        const auto n = ::pread(fd(), out + done, most - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

std::size_t Content::read(std::uint64_t offset, char* out, std::size_t most) const {
    std::size_t done = 0;
    for (const auto& slice : slices_) {
        if (done == most) break;
        if (offset >= slice.length) {
            offset -= slice.length;
            continue;
        }
        const auto wanted = std::min<std::uint64_t>(most - done, slice.length - offset);
        const auto got =
            slice.body->read(slice.offset + offset, out + done, static_cast<std::size_t>(wanted));
        done += got;
        if (got < wanted) break;
        offset = 0;
    }
    return done;
}

}  // namespace sg::sandbox
