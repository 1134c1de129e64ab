#pragma once
// A SQLite file system that stops writing when told to, and counts.

#include <atomic>

namespace sg::test {

/// The default of this process while it lives: every database opened meanwhile goes through it.
class FailingVfs {
public:
    FailingVfs();
    ~FailingVfs();
    FailingVfs(const FailingVfs&) = delete;
    FailingVfs& operator=(const FailingVfs&) = delete;

    static std::atomic<bool> refuse_writes;
    static std::atomic<int> refused;  ///< writes and syncs
    static std::atomic<int> syncs;
};

}  // namespace sg::test
