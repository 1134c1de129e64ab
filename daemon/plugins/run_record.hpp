#pragma once
// What threads of the daemon were running, where the next daemon can read it.

#include <filesystem>
#include <memory>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "host/link/run_page.hpp"
#include "plugins/interrupted.hpp"
#include "util/result.hpp"

namespace sg::plugins {

/// The run page of a host in threads, in a file: what is written before each call are a few stores to memory
/// that the system keeps when this process dies, of whatever cause. A power cut may take it.
///
/// Threads: as RunPage; the rest one.
class RunRecord {
public:
    /// Makes a file in `directory`, which is made if absent. Its room is taken at once: a full disk refuses
    /// here, not later.
    static Result<std::unique_ptr<RunRecord>> make(const std::filesystem::path& directory,
                                                   const std::string& plugin);

    /// The host has ended in order: the file goes.
    ~RunRecord();
    RunRecord(const RunRecord&) = delete;
    RunRecord& operator=(const RunRecord&) = delete;

    host::RunPage& page() const noexcept { return *page_; }

    /// What the numbers of callbacks in the page stand for.
    void name(const std::vector<std::string>& callbacks);

private:
    struct Unmap {
        void operator()(host::RunPage* page) const noexcept;
    };
    RunRecord() = default;

    std::filesystem::path file_;
    std::string plugin_;
    UniqueFd fd_;
    std::unique_ptr<host::RunPage, Unmap> page_;
};

/// Reads what is left in `directory`. Files that nothing was running in are removed, and those that are not
/// ours to understand, with a warning. Those of a daemon that runs must not be there: the lock of the state
/// directory is held.
std::vector<Interrupted> find_interrupted(const std::filesystem::path& directory, Logger& log);

}  // namespace sg::plugins
