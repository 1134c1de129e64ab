#pragma once
// The other end of NOTIFY_SOCKET.

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "catch.hpp"
#include "util/fd.hpp"
#include "wait_for.hpp"

namespace sg::test {

/// The socket of a service manager.
class ServiceManager {
public:
    explicit ServiceManager(const std::filesystem::path& path)
        : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
        REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    }
    std::size_t count(const std::string& text) {
        std::array<char, 4096> space{};
        for (ssize_t n = 0; (n = ::recv(fd_.get(), space.data(), space.size(), 0)) > 0;)
            told_.emplace_back(space.data(), static_cast<std::size_t>(n));
        return static_cast<std::size_t>(std::count_if(told_.begin(), told_.end(), [&](const auto& one) {
            return one.find(text) != std::string::npos;
        }));
    }
    bool wait(const std::string& text, std::size_t times = 1) {
        return wait_for([&] { return count(text) >= times; }, std::chrono::seconds(60));
    }
    /// The place of the first message with `text`.
    std::size_t place(const std::string& text) const {
        return static_cast<std::size_t>(
            std::find_if(told_.begin(), told_.end(),
                         [&](const auto& one) { return one.find(text) != std::string::npos; }) -
            told_.begin());
    }

private:
    UniqueFd fd_;
    std::vector<std::string> told_;
};

}  // namespace sg::test
