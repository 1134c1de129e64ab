#pragma once
// A file with the number of our process, for whoever expects one.

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <optional>

#include "util/loop.hpp"
#include "util/result.hpp"

namespace sg::service {

/// Written whole or not at all, over one that somebody left behind: that only one daemon runs is what the
/// lock of the state directory is for. Removed at the end, if it is still ours.
///
/// Threads: one.
class PidFile {
public:
    /// Readable by everyone, writable by its owner. Blocks on the disk.
    static Result<PidFile> write(std::filesystem::path path);
    PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})), ours_(other.ours_) {}
    PidFile& operator=(PidFile&&) = delete;
    ~PidFile();

    /// Somebody removed it, which asks the daemon to stop. A directory that cannot be read says nothing.
    bool is_gone() const;

private:
    PidFile(std::filesystem::path path, const struct stat& ours) : path_(std::move(path)), ours_(ours) {}
    std::filesystem::path path_;
    struct stat ours_ {};
};

/// Looks twice a second whether the file is there, and calls `gone` once it is not.
///
/// Threads: the loop's.
class PidFileWatch {
public:
    PidFileWatch(Loop& loop, const std::optional<PidFile>& file, std::function<void()> gone)
        : loop_(loop), file_(file), gone_(std::move(gone)) {}

    void start() {
        if (file_) timer_ = loop_.after(std::chrono::milliseconds(500), [this] { look(); });
    }

private:
    void look() { file_->is_gone() ? gone_() : start(); }

    Loop& loop_;
    const std::optional<PidFile>& file_;
    std::function<void()> gone_;
    Loop::Handle timer_;
};

}  // namespace sg::service
