#pragma once
// Keeps a few old log files, and the rest of the disk free.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

namespace sg::logging {

/// Compresses log files that were put aside, and removes the oldest, on a thread of its own: whoever logs
/// never waits for it.
///
/// Threads: any.
class Archivist {
public:
    /// At most `keep` files are kept of each log; with `compress` as `.gz`.
    Archivist(std::size_t keep, bool compress);
    ~Archivist();
    Archivist(const Archivist&) = delete;
    Archivist& operator=(const Archivist&) = delete;

    /// For what is looked at from now on.
    void keep(std::size_t keep, bool compress) noexcept {
        keep_ = keep;
        compress_ = compress;
    }

    /// Looks soon at what was put aside of the log `file`.
    void tidy(const std::filesystem::path& file);

private:
    void run(const std::stop_token& stop);
    void look(const std::filesystem::path& file, const std::stop_token& stop) const;

    std::atomic<std::size_t> keep_;
    std::atomic<bool> compress_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::set<std::filesystem::path> waiting_;
    std::jthread thread_;  // from the first file on
};

}  // namespace sg::logging
