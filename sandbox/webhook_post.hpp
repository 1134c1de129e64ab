#pragma once
// One POST to whoever wants to be told.

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace sg::sandbox {

struct PostAnswer {
    long status = 0;   ///< 0: no answer
    std::string body;  ///< the first 100 bytes
};

/// Blocks until the answer is there, the limit has passed, or a stop is asked for. Any thread.
PostAnswer post(const std::string& url, const std::vector<std::string>& headers, const std::string& body,
                std::chrono::milliseconds limit, const std::stop_token& stop);

}  // namespace sg::sandbox
