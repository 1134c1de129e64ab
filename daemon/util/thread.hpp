#pragma once
// Threads with a name and an owner.

#include <functional>
#include <string>
#include <thread>

namespace sg {

/// Starts a thread that shows as `name` (at most 15 bytes) in ps and in a debugger, with every
/// signal blocked: signals are the main thread's business.
std::jthread start_thread(const std::string& name, std::function<void(std::stop_token)> body);

}  // namespace sg
