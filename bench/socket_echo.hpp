#pragma once
// The least that going to another process and back can cost: a pair of stream sockets.

#include <string>

#include "util/fd.hpp"

namespace sg::bench {

/// A child process that sends back every byte it is sent, with plain blocking calls.
class SocketEcho {
public:
    SocketEcho();
    ~SocketEcho();
    SocketEcho(const SocketEcho&) = delete;
    SocketEcho& operator=(const SocketEcho&) = delete;

    /// Sends `bytes` and waits until as many came back. Less than a socket's buffer holds.
    void there_and_back(const std::string& bytes);

private:
    UniqueFd socket_;
    std::string back_;
    int pid_ = -1;
};

}  // namespace sg::bench
