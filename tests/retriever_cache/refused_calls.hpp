#pragma once
// System calls that the test makes fail, or wants to know of.

#include <atomic>
#include <functional>

namespace sg::test {

/// What the program's own calls get instead of what they ask for, as long as one lives. One at a time.
struct RefusedCalls {
    RefusedCalls();
    ~RefusedCalls();
    RefusedCalls(RefusedCalls&&) = delete;

    std::atomic<int> times = 0;  ///< errno of setting times; 0: it is done
    std::atomic<int> modes = 0;
    std::atomic<int> sync = 0;
    std::atomic<int> removing = 0;  ///< by `renameat` and `unlinkat`
    std::function<void(const char* name)>
        before_moving;  ///< called by `renameat`; set it before the threads start
};

}  // namespace sg::test
