#include "host/link/socket_channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "host/link/codec.hpp"

namespace sg::host {
namespace {

constexpr std::size_t read_size = 64 << 10;
// Events that share a frame: enough for the cost of a system call to vanish, little enough that
// the host starts early.
constexpr std::size_t batch_bytes = 256 << 10;
// What one host may have read from it in a turn of the loop: the others wait for it.
constexpr std::size_t turn_bytes = 1 << 20;
// Below this, copying costs less than sharing, of which the kernel's part is most (bench/host.cpp).
constexpr std::size_t least_shared = 128 << 10;
constexpr std::size_t least_part = 8;  // of a page must be wanted: one in so many bytes
constexpr std::size_t most_fds = 8;    // that one read can bring

/// Fails with ETOOMANYREFS where too many descriptors are on their way already.
ssize_t send_with(int socket, std::string_view bytes, int fd) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

SocketDaemonChannel::SocketDaemonChannel(Loop& loop, UniqueFd socket, std::shared_ptr<SharedPages> pages)
    : loop_(loop), socket_(std::move(socket)), pages_(std::move(pages)) {
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
        const auto n = send_some();
        if (n >= 0) {
            sent_ += static_cast<std::size_t>(n);
        } else if (errno == ETOOMANYREFS && to_share_) {
            // This host gets its events with their bytes from here on.
            to_share_.reset();
            pages_.reset();
            shared_.reset();
            out_.clear();
            (void)host::encode_events(run_, nullptr, out_);
        } else if (errno == EAGAIN) {
            return watch_for(true);
        } else if (errno != EINTR) {
            // The host is gone; what it left behind is still to be read, so only writing ends.
            run_ = {};
            queue_.clear();
            delivered_ = 0;
            out_.clear();
            to_share_.reset();
            sent_ = 0;
            return watch_for(false);
        }
    }
}

ssize_t SocketDaemonChannel::send_some() {
    const std::string_view rest = std::string_view(out_).substr(sent_);
    if (!to_share_) return ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    const auto n = send_with(socket_.get(), rest, to_share_->fd());
    if (n > 0) to_share_.reset();
    return n;
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
        if (!deliver->runs.empty()) *deliver = Deliver{expand(std::move(*deliver))};
        if (delivered_ < deliver->batch.size()) {
            encode_events(deliver->batch);
        } else {
            run_ = {};
            queue_.pop_front();
            delivered_ = 0;
        }
    }
}

/// The next of the batch that can share a frame: events of the page that the host has, or others.
void SocketDaemonChannel::encode_events(const std::vector<Delivery>& batch) {
    const auto from = delivered_;
    const auto page = batch[from].event.page;
    const bool pointed_at = is_same(shared_, page) || (is_worth_sharing(batch, delivered_) && share(page));
    std::size_t bytes = 0;
    for (; delivered_ < batch.size(); ++delivered_) {
        const auto& next = batch[delivered_];
        if (next.event.page != page) {
            if (pointed_at ||
                (batch[delivered_ - 1].event.page != next.event.page && is_worth_sharing(batch, delivered_)))
                break;
        }
        const auto size = encoded_size(next) - (pointed_at ? next.event.row().raw.size() : 0);
        if (bytes > 0 && bytes + size > batch_bytes) break;
        bytes += size;
    }
    run_ = std::span(batch).subspan(from, delivered_ - from);
    (void)host::encode_events(run_, pointed_at ? page.get() : nullptr, out_);
}

bool SocketDaemonChannel::is_worth_sharing(const std::vector<Delivery>& batch, std::size_t from) const {
    const auto& page = batch[from].event.page;
    if (!pages_ || page->text().size() < least_shared) return false;
    std::size_t wanted = 0;
    for (auto i = from; i < batch.size() && batch[i].event.page == page; ++i)
        wanted += batch[i].event.row().raw.size();
    return wanted >= least_shared && wanted * least_part >= page->text().size();
}

bool SocketDaemonChannel::share(const event::PagePtr& page) {
    to_share_ = pages_->text_of(page);
    if (!to_share_) return false;
    shared_ = page;
    encode_share(to_share_->size(), out_);
    return true;
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
    if ((*frame)->type == share_type) {
        if (!take_share(**frame)) return Received{std::nullopt, true};
        return next_frame();
    }
    auto message = decode_to_host(std::move(**frame), shared_);
    if (!message) return Received{std::nullopt, true};
    return Received{std::move(*message), false};
}

bool SocketHostChannel::take_share(const Frame& frame) {
    const auto size = decode_share(frame);
    if (!size) return false;
    if (fds_.empty()) {
        // The daemon cannot know, so it is said where the plugin's log will show it.
        std::fputs("sgeventd-host: no descriptor is left for a page of events\n", stderr);
        return false;
    }
    auto mapped = MappedText::map(std::move(fds_.front()), *size);
    fds_.pop_front();
    if (!mapped) {
        std::fprintf(stderr, "sgeventd-host: %s\n", mapped.error().message.c_str());
        return false;
    }
    shared_ = std::move(*mapped);
    return true;
}

ssize_t SocketHostChannel::receive_some(char* to, std::size_t size) {
    iovec part{to, size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto n = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) return n;
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
            fds_.emplace_back(fd);
        }
    }
    return n;
}

HostChannel::Received SocketHostChannel::receive(std::optional<std::chrono::milliseconds> at_most) {
    while (true) {
        if (auto received = next_frame()) return std::move(*received);
        if (!std::exchange(is_drained_, false)) {
            char* to = in_.room(read_size);
            const auto size = in_.room_size();
            const auto n = receive_some(to, size);
            if (n > 0) {
                in_.took(static_cast<std::size_t>(n));
                is_drained_ = static_cast<std::size_t>(n) < size;
                continue;
            }
            if (n == 0 || (errno != EAGAIN && errno != EINTR)) return {std::nullopt, true};
        }
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
