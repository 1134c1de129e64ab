#include "service/notifier.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace sg::service {
namespace {

std::string taken_from_environment(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value == nullptr ? "" : value;
    ::unsetenv(name);
    return text;
}

std::optional<long long> number(const std::string& text) {
    long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// A connected socket; none where `name` is no address of a socket.
UniqueFd connect_to(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
        return {};
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract name
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fd.reset();
    return fd;
}

class Socket final : public Notifier::Channel {
public:
    explicit Socket(UniqueFd fd) : fd_(std::move(fd)) {
        const timeval patience{1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }

    void ready() override { send("READY=1"); }
    void alive() override { send("WATCHDOG=1", MSG_DONTWAIT); }
    void reloading() override {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1'000));
    }
    void stopping() override { send("STOPPING=1"); }
    void status(const std::string& text) override { send("STATUS=" + text, MSG_DONTWAIT); }
    void ended(const std::string&) override {}

private:
    /// A service manager that does not listen is no reason to do anything else, or to wait for it: what is
    /// said often is lost then, for what is said once there is a second.
    void send(const std::string& message, int flags = 0) const {
        static_cast<void>(::send(fd_.get(), message.data(), message.size(), flags | MSG_NOSIGNAL));
    }
    const UniqueFd fd_;
};

}  // namespace

Notifier::Notifier(UniqueFd socket) {
    if (socket) channel_ = std::make_shared<Socket>(std::move(socket));
}

Notifier Notifier::take() {
    Notifier notifier(connect_to(taken_from_environment("NOTIFY_SOCKET")));
    const auto time = number(taken_from_environment("WATCHDOG_USEC"));
    const auto whom = number(taken_from_environment("WATCHDOG_PID"));
    if (notifier && time && *time > 0 && (!whom || *whom == ::getpid()))
        notifier.watchdog_ = std::chrono::microseconds(*time);
    return notifier;
}

}  // namespace sg::service
