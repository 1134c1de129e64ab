#pragma once
// Tells the service manager how we are.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace sg::service {

/// The notification protocol of systemd (sd_notify(3)), which is a datagram to the socket in NOTIFY_SOCKET.
/// Without one everything here does nothing.
///
/// Threads: any; `take` on the main thread before others start.
class Notifier {
public:
    /// Where messages go.
    class Channel {
    public:
        virtual ~Channel() = default;
        virtual void ready() = 0;
        virtual void alive() = 0;
        virtual void reloading() = 0;
        virtual void stopping() = 0;
        virtual void status(const std::string& text) = 0;
        virtual void ended(const std::string& how) = 0;
    };

    Notifier() = default;

    /// From the environment, whose variables are removed: children must not speak in our name.
    static Notifier take();

    /// To whoever has the other end of `socket`.
    explicit Notifier(UniqueFd socket);

    /// One for each of several that run in one process, and are one for the service manager: ready when all
    /// are, alive while all are, reloading while one is, stopping when all are; the status has the names. One
    /// that has ended counts for nothing of this. Without a socket they do nothing either.
    std::vector<Notifier> divided(const std::vector<std::string>& names) const;

    explicit operator bool() const noexcept { return channel_ != nullptr; }

    /// How long the service manager waits for a sign of life before it ends us; nullopt: for ever.
    std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

    void ready() const {
        if (channel_) channel_->ready();
    }
    void alive() const {
        if (channel_) channel_->alive();
    }
    void reloading() const {
        if (channel_) channel_->reloading();
    }
    void stopping() const {
        if (channel_) channel_->stopping();
    }
    /// One line for `systemctl status`.
    void status(const std::string& text) const {
        if (channel_) channel_->status(text);
    }
    /// Of several: it has ended, and nothing waits for it any more. The end of a process needs no word.
    void ended(const std::string& how) const {
        if (channel_) channel_->ended(how);
    }

private:
    Notifier(std::shared_ptr<Channel> channel, std::optional<std::chrono::microseconds> watchdog)
        : channel_(std::move(channel)), watchdog_(watchdog) {}

    std::shared_ptr<Channel> channel_;
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace sg::service
