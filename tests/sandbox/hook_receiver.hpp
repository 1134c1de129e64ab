#pragma once
// Somebody who is told by webhooks: plain sockets, and nothing of the sandbox.

#include <arpa/inet.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sg::test {

/// Takes one POST per connection and answers with the status that `answer` gives for it; 0: never.
class HookReceiver {
public:
    struct Post {
        std::string head, body;

        /// The value of a header, its name in lower case.
        std::string header(const std::string& name) const {
            for (std::size_t at = head.find("\r\n"); at != std::string::npos;
                 at = head.find("\r\n", at + 2)) {
                const auto colon = head.find(": ", at);
                if (colon == std::string::npos) break;
                if (::strcasecmp(head.substr(at + 2, colon - at - 2).c_str(), name.c_str()) == 0)
                    return head.substr(colon + 2, head.find("\r\n", colon) - colon - 2);
            }
            return "";
        }
    };
    using Answer = std::function<int(const Post&)>;

    explicit HookReceiver(Answer answer = [](const Post&) { return 200; }) : answer_(std::move(answer)) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
            ::listen(socket_, 64) != 0 ||
            ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
            throw std::runtime_error("no port for the receiver");
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    ~HookReceiver() {
        thread_.request_stop();
        thread_.join();
        for (const int fd : unanswered_) ::close(fd);
        ::close(socket_);
    }
    HookReceiver(const HookReceiver&) = delete;
    HookReceiver& operator=(const HookReceiver&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }
    std::vector<Post> posts() const {
        std::lock_guard lock(mutex_);
        return posts_;
    }

private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd waiting{socket_, POLLIN, 0};
            if (::poll(&waiting, 1, 10) <= 0) continue;
            const int fd = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            serve(fd);
        }
    }
    void serve(int fd) {
        std::string text;
        Post post;
        std::array<char, 65536> chunk{};
        for (;;) {
            const auto end = text.find("\r\n\r\n");
            if (end != std::string::npos) {
                post.head = text.substr(0, end + 2);
                post.body = text.substr(end + 4);
                const auto length = post.header("content-length");
                if (!length.empty() && post.body.size() >= std::stoul(length)) break;
            }
            const auto got = ::recv(fd, chunk.data(), chunk.size(), 0);
            if (got <= 0) {
                ::close(fd);
                return;
            }
            text.append(chunk.data(), static_cast<std::size_t>(got));
        }
        const int status = answer_(post);
        {
            std::lock_guard lock(mutex_);
            posts_.push_back(std::move(post));
        }
        if (status == 0) {
            unanswered_.push_back(fd);
            return;
        }
        const auto out =
            "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        [[maybe_unused]] const auto sent = ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
        ::close(fd);
    }

    Answer answer_;
    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::vector<int> unanswered_;
    mutable std::mutex mutex_;
    std::vector<Post> posts_;
    std::jthread thread_;  // last
};

}  // namespace sg::test
