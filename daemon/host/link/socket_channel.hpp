#pragma once
// A link over a pair of stream sockets.

#include <deque>
#include <mutex>
#include <string>

#include "host/link/channel.hpp"
#include "host/link/frame.hpp"
#include "util/fd.hpp"
#include "util/loop.hpp"

namespace sg::host {

/// The daemon's end: what cannot be written at once waits for the loop.
class SocketDaemonChannel final : public DaemonChannel {
public:
    SocketDaemonChannel(Loop& loop, UniqueFd socket);
    void open(Handlers handlers) override;
    void send(ToHost message) override;
    void receive_rest() override;
    void close() override;

private:
    void on_ready(std::uint32_t events);
    void pump();
    void encode_next();
    void read(std::size_t at_most);
    void take_frames();
    void end(std::optional<Failure> malformed);
    void watch_for(bool writable);

    Loop& loop_;
    UniqueFd socket_;
    Handlers handlers_;
    std::deque<ToHost> queue_;
    std::size_t delivered_ = 0;  // of the `Deliver` at the head of the queue
    std::string out_;            // bytes on their way; bounded by one frame
    std::size_t sent_ = 0;
    FrameReader in_{frame_limit_from_host};
    bool ended_ = false;
    bool writable_wanted_ = false;
    Loop::Handle watch_;  // before the socket goes
};

/// The host's end.
class SocketHostChannel final : public HostChannel {
public:
    explicit SocketHostChannel(UniqueFd socket);
    bool send(FromHost message, WhenFull when_full) override;
    Received receive(std::optional<std::chrono::milliseconds> at_most) override;
    void wake() noexcept override;

private:
    std::optional<Received> next_frame();

    UniqueFd socket_;
    UniqueFd wake_;
    std::mutex send_mutex_;
    std::string out_;
    FrameReader in_{frame_limit_to_host};
};

}  // namespace sg::host
