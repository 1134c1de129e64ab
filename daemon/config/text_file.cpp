// Small files, read whole.

#include "config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "util/fd.hpp"

namespace sg::config {

Result<std::string> read_text(const std::filesystem::path& file, std::size_t most, Writers writers) {
    const auto refused = [] { return fail(Cause::invalid, "{}", std::generic_category().message(errno)); };
    UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a pipe must not hold us up
    if (!fd) return refused();
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return refused();
    if (S_ISDIR(info.st_mode)) return fail(Cause::invalid, "is a directory");
    if (!S_ISREG(info.st_mode)) return fail(Cause::invalid, "is not a regular file");
    if (writers == Writers::not_everyone && (info.st_mode & S_IWOTH) != 0)
        return fail(Cause::permission, "everyone may write to it: chmod o-w");
    std::string content;
    for (;;) {
        const auto had = content.size();
        if (had > most) return fail(Cause::invalid, "is larger than {} bytes", most);
        content.resize(had + 16384);
        const auto got = ::read(fd.get(), content.data() + had, content.size() - had);
        if (got < 0 && errno != EINTR) return refused();
        content.resize(had + static_cast<std::size_t>(got > 0 ? got : 0));
        if (got == 0) return content;
    }
}

}  // namespace sg::config
