#pragma once
// A file that several processes write lines to, and any of them may be killed.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace sg::recorder {

/// Grows by whole lines of JSON, whoever else writes to it by this class: other builds of a plugin, other
/// hosts. What a kill or a full disk left of a line is taken away by whoever writes next; the event it was
/// about comes again.
///
/// Threads: any.
class LineFile {
public:
    /// Makes the file if it is not there. Throws std::system_error.
    explicit LineFile(const std::string& path)
        : descriptor_(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
        if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open " + path);
    }
    LineFile(const LineFile&) = delete;
    LineFile& operator=(const LineFile&) = delete;
    ~LineFile() { ::close(descriptor_); }

    /// Adds `line`, which has no end of line in it. Throws when the disk refuses it, whole or in part.
    void append(std::string line) {
        line += '\n';
        const std::lock_guard alone(mutex_);  // the lock below is the descriptor's
        const Lock lock(descriptor_);
        if (lock.is_held()) end_half_line();  // else it may be a line that another is about to end
        const auto written = ::write(descriptor_, line.data(), line.size());
        if (written < 0) throw std::system_error(errno, std::generic_category(), "cannot record the event");
        if (static_cast<std::size_t>(written) < line.size())
            throw std::runtime_error("the disk is full: part of a line was recorded");
    }

private:
    /// Of this file among processes. A file system may have none: writes do not mix all the same.
    class Lock {
    public:
        explicit Lock(int descriptor) : descriptor_(descriptor) {
            while (!(is_held_ = ::flock(descriptor_, LOCK_EX) == 0) && errno == EINTR) continue;
        }
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;
        ~Lock() {
            if (is_held_) ::flock(descriptor_, LOCK_UN);
        }
        bool is_held() const noexcept { return is_held_; }

    private:
        const int descriptor_;
        bool is_held_ = false;
    };

    void end_half_line() const {
        struct stat status {};
        if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return;
        const auto begin = begin_of_last_line(status.st_size);
        if (begin == status.st_size) return;
        // What does not begin as a line of ours is somebody else's, and stays.
        char first = 0;
        if (::pread(descriptor_, &first, 1, begin) == 1 && first == '{') {
            if (::ftruncate(descriptor_, begin) != 0)
                throw std::system_error(errno, std::generic_category(), "cannot take half a line away");
        } else if (::write(descriptor_, "\n", 1) != 1) {
            throw std::system_error(errno, std::generic_category(), "cannot end a line");
        }
    }

    /// The place after the last end of line below `end`: that is `end` where the last line is whole.
    off_t begin_of_last_line(off_t end) const {
        std::array<char, 4096> part{};
        // Nearly always the last byte says it.
        for (off_t size = 1; end > 0; size = static_cast<off_t>(part.size())) {
            const auto at = end - std::min(end, size);
            const auto got = ::pread(descriptor_, part.data(), static_cast<std::size_t>(end - at), at);
            if (got != end - at) throw std::system_error(errno, std::generic_category(), "cannot read back");
            const auto found = std::string_view(part.data(), static_cast<std::size_t>(got)).rfind('\n');
            if (found != std::string_view::npos) return at + static_cast<off_t>(found) + 1;
            end = at;
        }
        return 0;
    }

    const int descriptor_;
    std::mutex mutex_;
};

}  // namespace sg::recorder
