#pragma once
// A door that a test opens.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace sg::sandbox {

/// Answers that stand before it are sent when it opens; afterwards it stays open.
///
/// Threads: every member from any thread. Shared between a test and the faults that name it.
class Gate {
public:
    /// Lets everything through, now and later.
    void open() {
        std::vector<std::function<void()>> waiting;
        {
            std::lock_guard lock(mutex_);
            open_ = true;
            waiting.swap(waiting_);
        }
        for (const auto& go : waiting) go();
    }
    /// How many answers have come to it so far.
    std::size_t held() const {
        std::lock_guard lock(mutex_);
        return held_;
    }
    /// Blocks until `count` answers have come to it; false after the limit.
    bool wait_held(std::size_t count, std::chrono::milliseconds at_most = std::chrono::seconds(30)) const {
        std::unique_lock lock(mutex_);
        return came_.wait_for(lock, at_most, [&] { return held_ >= count; });
    }

    /// For the server: calls `go` when the gate opens; at once if it is open.
    void pass(std::function<void()> go) {
        {
            std::lock_guard lock(mutex_);
            ++held_;
            came_.notify_all();
            if (!open_) {
                waiting_.push_back(std::move(go));
                return;
            }
        }
        go();
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable came_;
    bool open_ = false;
    std::size_t held_ = 0;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace sg::sandbox
