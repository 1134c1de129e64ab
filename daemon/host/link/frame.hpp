#pragma once
// How messages are cut out of a stream of bytes.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "util/result.hpp"

namespace sg::host {

/// The version of everything that crosses a socket between daemon and host. Both come from one
/// build, so there is no negotiation: another version is refused by name.
inline constexpr std::uint16_t link_version = 5;

/// Bytes of one frame without its header. Whatever event the site client lets through must fit, for it
/// would never get an outcome else: its row, and once more the texts that were read of it.
inline constexpr std::size_t frame_limit_to_host = 192u << 20;
inline constexpr std::size_t frame_limit_from_host = 32u << 20;

/// Stands before each frame; native byte order, both sides are on one machine.
struct FrameHeader {
    std::uint32_t length = 0;  ///< of the payload that follows
    std::uint16_t version = link_version;
    std::uint16_t type = 0;  ///< index into ToHost or FromHost, or `share_type`
};
static_assert(sizeof(FrameHeader) == 8);

/// To a host: a page's text comes with this frame, as a descriptor beside its first byte or that of an
/// earlier frame; the payload is the text's size. Events of later frames may lie in it, until the next one.
inline constexpr std::uint16_t share_type = 0x100;

struct Frame {
    std::uint16_t type = 0;
    std::string payload;
};

/// Gathers bytes and gives out whole frames. Memory grows with the bytes that came, never with
/// the length that a header claims.
///
/// Errors: `bad_answer` for another version or a length above the limit; final.
class FrameReader {
public:
    explicit FrameReader(std::size_t limit) : limit_(limit) {}

    /// Where the next bytes go, at least `at_least` of them; `took` says how many came.
    char* room(std::size_t at_least);
    std::size_t room_size() const noexcept { return buffer_.size() - end_; }
    void took(std::size_t bytes) noexcept { end_ += bytes; }

    /// The next whole frame; nullopt until more bytes came.
    Result<std::optional<Frame>> next();

    /// Bytes of a frame that is not whole yet.
    std::size_t unread() const noexcept { return end_ - begin_; }

private:
    std::size_t limit_;
    std::string buffer_;
    std::size_t begin_ = 0, end_ = 0;
};

}  // namespace sg::host
