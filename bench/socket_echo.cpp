#include "bench/socket_echo.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <stdexcept>
#include <vector>

namespace sg::bench {

namespace {

bool send_all(int fd, const char* from, std::size_t size) {
    while (size > 0) {
        const auto n = ::send(fd, from, size, MSG_NOSIGNAL);
        if (n <= 0) return false;
        from += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

[[noreturn]] void echo(int fd) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char> buffer(256 << 10);
    for (;;) {
        const auto n = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (n <= 0 || !send_all(fd, buffer.data(), static_cast<std::size_t>(n))) ::_exit(0);
    }
}

}  // namespace

SocketEcho::SocketEcho() {
    int pair[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        throw std::runtime_error("cannot make a pair of sockets");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot start the echo");
    if (pid_ == 0) {
        ::close(pair[0]);
        echo(pair[1]);
    }
    ::close(pair[1]);
    socket_.reset(pair[0]);
}

SocketEcho::~SocketEcho() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void SocketEcho::there_and_back(const std::string& bytes) {
    back_.resize(bytes.size());
    if (!send_all(socket_.get(), bytes.data(), bytes.size())) throw std::runtime_error("the echo is gone");
    for (std::size_t got = 0; got < bytes.size();) {
        const auto n = ::recv(socket_.get(), back_.data() + got, back_.size() - got, 0);
        if (n <= 0) throw std::runtime_error("the echo is gone");
        got += static_cast<std::size_t>(n);
    }
}

}  // namespace sg::bench
