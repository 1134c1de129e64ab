#pragma once
// A link over a pair of stream sockets.

#include <sys/types.h>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "host/link/channel.hpp"
#include "host/link/frame.hpp"
#include "host/link/shared_text.hpp"
#include "util/fd.hpp"
#include "util/loop.hpp"

namespace sg::host {

/// The daemon's end: what cannot be written at once waits for the loop.
///
/// Many events of one page are pointed at in a text that the host maps; few, or small ones, travel
/// with their bytes.
class SocketDaemonChannel final : public DaemonChannel {
public:
    /// Without `pages` every event travels with its bytes.
    SocketDaemonChannel(Loop& loop, UniqueFd socket, std::shared_ptr<SharedPages> pages = nullptr);
    void open(Handlers handlers) override;
    void send(ToHost message) override;
    void receive_rest() override;
    void close() override;

private:
    void on_ready(std::uint32_t events);
    void pump();
    void encode_next();
    void encode_events(const std::vector<Delivery>& batch);
    bool is_worth_sharing(const std::vector<Delivery>& batch, std::size_t from) const;
    bool share(const event::PagePtr& page);
    ssize_t send_some();
    void read(std::size_t at_most);
    void take_frames();
    void end(std::optional<Failure> malformed);
    void watch_for(bool writable);

    Loop& loop_;
    UniqueFd socket_;
    Handlers handlers_;
    std::deque<ToHost> queue_;
    std::size_t delivered_ = 0;  // of the `Deliver` at the head of the queue; what is in `out_` counts
    std::string out_;            // bytes on their way; bounded by one frame of events
    std::size_t sent_ = 0;
    std::shared_ptr<SharedPages> pages_;
    std::weak_ptr<const event::EventPage> shared_;  // whose text the host was told of last
    std::shared_ptr<const SharedText> to_share_;    // goes with the first byte of `out_`
    std::span<const Delivery> run_;  // the events in `out_`; the queue keeps them until it is sent
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
    bool take_share(const Frame& frame);
    ssize_t receive_some(char* to, std::size_t size);

    UniqueFd socket_;
    UniqueFd wake_;
    std::mutex send_mutex_;
    std::string out_;
    FrameReader in_{frame_limit_to_host};
    bool is_drained_ = false;   // the last read left nothing behind
    std::deque<UniqueFd> fds_;  // came, and their frames did not yet
    std::shared_ptr<const MappedText> shared_;
};

}  // namespace sg::host
