#include "service/pid_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "util/fd.hpp"

namespace sg::service {

Result<PidFile> PidFile::write(std::filesystem::path path) {
    auto fresh = path.string() + ".XXXXXX";
    const auto refused = [&] {
        const auto why =
            fail(Cause::permission, "cannot write the pid file {}: {}", path.string(), std::strerror(errno));
        ::unlink(fresh.c_str());
        return why;
    };
    const UniqueFd fd(::mkostemp(fresh.data(), O_CLOEXEC));
    if (!fd) return refused();
    const auto text = std::to_string(::getpid()) + "\n";
    struct stat ours {};
    if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fchmod(fd.get(), 0644) != 0 || ::fstat(fd.get(), &ours) != 0 ||
        ::rename(fresh.c_str(), path.c_str()) != 0)
        return refused();
    return PidFile(std::move(path), ours);
}

PidFile::~PidFile() {
    struct stat there {};
    if (!path_.empty() && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == ours_.st_dev &&
        there.st_ino == ours_.st_ino)
        ::unlink(path_.c_str());
}

bool PidFile::is_gone() const {
    struct stat there {};
    return ::lstat(path_.c_str(), &there) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace sg::service
