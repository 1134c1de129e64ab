#pragma once
// Tells the service manager how we are.

#include <chrono>
#include <optional>
#include <string>

#include "util/fd.hpp"

namespace sg::service {

/// The notification protocol of systemd (sd_notify(3)), which is a datagram to the socket in NOTIFY_SOCKET.
/// Without one everything here does nothing.
///
/// Threads: any; `take` on the main thread before others start.
class Notifier {
public:
    Notifier() = default;

    /// From the environment, whose variables are removed: children must not speak in our name.
    static Notifier take();

    /// To whoever has the other end of `socket`.
    explicit Notifier(UniqueFd socket) : socket_(std::move(socket)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

    /// How long the service manager waits for a sign of life before it ends us; nullopt: for ever.
    std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

    void ready() const { send("READY=1"); }
    void alive() const { send("WATCHDOG=1"); }
    void reloading() const;
    void stopping() const { send("STOPPING=1"); }

    /// One line for `systemctl status`.
    void status(const std::string& text) const { send("STATUS=" + text); }

private:
    void send(const std::string& message) const;

    UniqueFd socket_;
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace sg::service
