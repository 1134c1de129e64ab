#include "host/link/socket_channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <array>
#include <cerrno>

#include "host/link/codec.hpp"

namespace sg::host {
namespace {

constexpr std::size_t read_size = 64 << 10;
// Events that share a frame: enough for the cost of a system call to vanish, little enough that
// the host starts early.
constexpr std::size_t batch_bytes = 256 << 10;
// What one host may have read from it in a turn of the loop: the others wait for it.
constexpr std::size_t turn_bytes = 1 << 20;

}  // namespace

SocketDaemonChannel::SocketDaemonChannel(Loop& loop, UniqueFd socket)
    : loop_(loop), socket_(std::move(socket)) {
    ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

void SocketDaemonChannel::open(Handlers handlers) {
    handlers_ = std::move(handlers);
    watch_ = loop_.watch(socket_.get(), EPOLLIN, [this](std::uint32_t events) { on_ready(events); });
    pump();
}

void SocketDaemonChannel::send(ToHost message) {
    if (!socket_ || ended_) return;
    queue_.push_back(std::move(message));
    if (watch_ && !writable_wanted_) pump();
}

void SocketDaemonChannel::on_ready(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) pump();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && socket_) read(turn_bytes);
}

void SocketDaemonChannel::pump() {
    while (socket_) {
        if (sent_ == out_.size()) {
            if (out_.capacity() > 2 * batch_bytes) out_ = {};
            out_.clear();
            sent_ = 0;
            encode_next();
            if (out_.empty()) return watch_for(false);
        }
        const auto n = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
        if (n >= 0) {
            sent_ += static_cast<std::size_t>(n);
        } else if (errno == EAGAIN) {
            return watch_for(true);
        } else if (errno != EINTR) {
            // The host is gone; what it left behind is still to be read, so only writing ends.
            queue_.clear();
            out_.clear();
            sent_ = 0;
            return watch_for(false);
        }
    }
}

/// Moves the next messages from the queue to `out_`: one, or a batch of events.
void SocketDaemonChannel::encode_next() {
    while (!queue_.empty() && out_.empty()) {
        auto* deliver = std::get_if<Deliver>(&queue_.front());
        if (deliver == nullptr) {
            // Above the limit: the one who waits for it must not wait for ever.
            if (auto done = encode(queue_.front(), out_); !done) {
                if (const auto* answer = std::get_if<Answer>(&queue_.front()))
                    (void)encode(Answer{answer->request, tl::unexpected<Failure>(done.error())}, out_);
            }
            queue_.pop_front();
            continue;
        }
        Deliver part;
        std::size_t bytes = 0;
        while (delivered_ < deliver->batch.size()) {
            const auto size = encoded_size(deliver->batch[delivered_]);
            if (bytes > 0 && bytes + size > batch_bytes) break;
            bytes += size;
            part.batch.push_back(std::move(deliver->batch[delivered_++]));
        }
        if (!part.batch.empty()) (void)encode(ToHost(std::move(part)), out_);
        if (delivered_ == deliver->batch.size()) {
            queue_.pop_front();
            delivered_ = 0;
        }
    }
}

void SocketDaemonChannel::watch_for(bool writable) {
    if (writable == writable_wanted_) return;
    writable_wanted_ = writable;
    loop_.modify(watch_, writable ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void SocketDaemonChannel::read(std::size_t at_most) {
    std::size_t total = 0;
    while (!ended_ && socket_ && total < at_most) {
        char* to = in_.room(read_size);
        const auto size = in_.room_size();
        const auto n = ::recv(socket_.get(), to, size, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return end(std::nullopt);
        in_.took(static_cast<std::size_t>(n));
        total += static_cast<std::size_t>(n);
        take_frames();
        if (static_cast<std::size_t>(n) < size) return;  // level-triggered: more comes with the next turn
    }
}

void SocketDaemonChannel::take_frames() {
    while (!ended_ && socket_) {
        auto frame = in_.next();
        if (!frame) return end(std::move(frame.error()));
        if (!*frame) return;
        auto message = decode_from_host(std::move(**frame));
        if (!message) return end(std::move(message.error()));
        handlers_.message(std::move(*message));
    }
}

void SocketDaemonChannel::receive_rest() {
    while (!ended_ && socket_) {
        char* to = in_.room(read_size);
        const auto n = ::recv(socket_.get(), to, in_.room_size(), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return end(std::nullopt);
        in_.took(static_cast<std::size_t>(n));
        take_frames();
    }
}

void SocketDaemonChannel::end(std::optional<Failure> malformed) {
    if (ended_) return;
    ended_ = true;
    watch_.reset();
    handlers_.ended(std::move(malformed));
}

void SocketDaemonChannel::close() {
    ended_ = true;
    watch_.reset();
    socket_.reset();
    queue_.clear();
}

SocketHostChannel::SocketHostChannel(UniqueFd socket)
    : socket_(std::move(socket)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool SocketHostChannel::send(FromHost message, WhenFull when_full) {
    std::lock_guard lock(send_mutex_);
    out_.clear();
    if (!encode(message, out_)) return false;
    std::size_t sent = 0;
    while (sent < out_.size()) {
        // Once begun a message is finished: half of one would be the end of the host.
        const int flags = MSG_NOSIGNAL | (when_full == WhenFull::drop && sent == 0 ? MSG_DONTWAIT : 0);
        const auto n = ::send(socket_.get(), out_.data() + sent, out_.size() - sent, flags);
        if (n >= 0)
            sent += static_cast<std::size_t>(n);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

std::optional<HostChannel::Received> SocketHostChannel::next_frame() {
    auto frame = in_.next();
    if (!frame) return Received{std::nullopt, true};
    if (!*frame) return std::nullopt;
    auto message = decode_to_host(std::move(**frame));
    if (!message) return Received{std::nullopt, true};
    return Received{std::move(*message), false};
}

HostChannel::Received SocketHostChannel::receive(std::optional<std::chrono::milliseconds> at_most) {
    while (true) {
        if (auto received = next_frame()) return std::move(*received);
        char* to = in_.room(read_size);
        const auto n = ::recv(socket_.get(), to, in_.room_size(), MSG_DONTWAIT);
        if (n > 0) {
            in_.took(static_cast<std::size_t>(n));
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) return {std::nullopt, true};
        std::array<pollfd, 2> fds{{{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
        const int ready = ::poll(fds.data(), fds.size(), at_most ? static_cast<int>(at_most->count()) : -1);
        if (ready == 0) return {};
        if ((fds[0].revents & POLLNVAL) != 0) return {std::nullopt, true};  // closed by the plugin
        if (fds[1].revents != 0) {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto taken = ::read(wake_.get(), &count, sizeof count);
            if (fds[0].revents == 0) return {};
        }
    }
}

void SocketHostChannel::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace sg::host
