#pragma once
// Tests that make things up: from which seed, how often, and on how many threads.

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace sg::test {

/// SG_TEST_SEED, which is printed and so repeats a run, or a new one.
inline unsigned seed_of_run() {
    const char* text = std::getenv("SG_TEST_SEED");
    const unsigned seed = text != nullptr ? static_cast<unsigned>(std::stoul(text)) : std::random_device{}();
    std::cout << "SG_TEST_SEED=" << seed << std::endl;
    return seed;
}

/// SG_TEST_OPERATIONS, or what the gate has time for.
inline int operations_of_run(int usual) {
    const char* text = std::getenv("SG_TEST_OPERATIONS");
    return text != nullptr ? std::stoi(text) : usual;
}

/// How often something is repeated: a sanitizer takes several times as long for each.
constexpr int rounds(int times) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    return times / 10;
#else
    return times;
#endif
}

/// `each(0)` to `each(7)`, and `meanwhile` over and over until all have returned.
template <class Each, class Meanwhile>
void on_eight_threads(Each each, Meanwhile meanwhile) {
    std::atomic<int> busy{8};
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            each(t);
            --busy;
        });
    while (busy > 0) meanwhile();
}

}  // namespace sg::test
