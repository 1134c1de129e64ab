#pragma once
// What a daemon's /metrics says, read through its socket.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <sstream>
#include <string>

#include "e2e/daemon.hpp"

namespace sg::test {

/// The body of the answer; empty where nobody listens, or the answer is another than 200.
inline std::string get_by_socket(const Home& home, const std::string& path) {
    const auto file = (home.state() / "control.sock").string();
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (file.size() >= sizeof name.sun_path) return {};
    std::memcpy(name.sun_path, file.c_str(), file.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string answer;
    const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 &&
        ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
        std::array<char, 8192> part{};
        for (ssize_t n; (n = ::recv(fd, part.data(), part.size(), 0)) > 0;)
            answer.append(part.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    const auto head = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 200 ") || head == std::string::npos) return {};
    return answer.substr(head + 4);
}

/// The samples by name and labels, as they are written: `sgeventd_plugin_up{plugin="recorder"}`.
using Samples = std::map<std::string, double>;

inline Samples samples_of(const std::string& text) {
    Samples out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (const auto space = line.rfind(' '); !line.starts_with('#') && space != std::string::npos)
            out[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
    return out;
}

inline Samples scrape(const Home& home) { return samples_of(get_by_socket(home, "/metrics")); }

}  // namespace sg::test
