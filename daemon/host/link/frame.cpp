#include "host/link/frame.hpp"

#include <algorithm>
#include <cstring>

namespace sg::host {

char* FrameReader::room(std::size_t at_least) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (buffer_.size() - end_ < at_least && begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (buffer_.size() - end_ < at_least) buffer_.resize(std::max(end_ + at_least, buffer_.size() * 2));
    return buffer_.data() + end_;
}

Result<std::optional<Frame>> FrameReader::next() {
    FrameHeader header;
    if (end_ - begin_ < sizeof header) return std::nullopt;
    std::memcpy(&header, buffer_.data() + begin_, sizeof header);
    if (header.version != link_version)
        return fail(Cause::bad_answer, "the other side speaks version {} of the link, this one {}",
                    header.version, link_version);
    if (header.length > limit_)
        return fail(Cause::bad_answer, "a message of {} bytes, above the limit of {}", header.length, limit_);
    if (end_ - begin_ - sizeof header < header.length) return std::nullopt;
    Frame frame{header.type, std::string(buffer_, begin_ + sizeof header, header.length)};
    begin_ += sizeof header + header.length;
    constexpr std::size_t kept = 1 << 20;  // one large message does not cost its memory for ever
    if (begin_ == end_ && buffer_.size() > kept) {
        buffer_ = {};
        begin_ = end_ = 0;
    }
    return frame;
}

}  // namespace sg::host
