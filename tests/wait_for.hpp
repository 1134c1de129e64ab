#pragma once
// Waiting for a condition, never for a time.

#include <chrono>
#include <thread>

namespace sg::test {

/// Looks until `condition` holds; false after the limit, which is generous: it only ends a test
/// that would fail anyway.
template <class Condition>
bool wait_for(Condition condition, std::chrono::milliseconds at_most = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

}  // namespace sg::test
