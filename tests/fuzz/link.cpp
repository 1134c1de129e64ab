// The link between daemon and host, both ways: as a stream of bytes, and as single messages.

#include <unistd.h>
#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "host/link/codec.hpp"

using namespace sg;
using namespace sg::host;

namespace {

std::string encoded(const auto& message) {
    std::string bytes;
    SG_MUST(encode(message, bytes));
    return bytes;
}

Frame frame_of(const std::string& bytes) {
    FrameReader reader(frame_limit_to_host);
    bytes.copy(reader.room(bytes.size()), bytes.size());
    reader.took(bytes.size());
    auto frame = reader.next();
    SG_MUST(frame && *frame);
    SG_MUST(reader.unread() == 0);
    return std::move(**frame);
}

/// What was understood can be said again, and is understood in the same way.
void read_from_host(Frame frame) {
    const auto message = decode_from_host(std::move(frame));
    if (!message) return SG_MUST(!message.error().message.empty());
    const auto bytes = encoded(*message);
    const auto again = decode_from_host(frame_of(bytes));
    SG_MUST(again && encoded(*again) == bytes);
}
/// The text of a page that the daemon has shared: events may lie in it, and nowhere beside it.
const std::shared_ptr<const MappedText>& shared_page() {
    static const auto page = [] {
        const auto text = SharedText::make(R"({"results":{"entities":[{"id":7},{"id":8}]}})").value();
        return MappedText::map(UniqueFd(::dup(text->fd())), text->size()).value();
    }();
    return page;
}
void read_to_host(Frame frame) {
    (void)decode_share(frame);
    const auto message = decode_to_host(std::move(frame), shared_page());
    if (!message) return SG_MUST(!message.error().message.empty());
    const auto bytes = encoded(*message);
    const auto again = decode_to_host(frame_of(bytes));
    SG_MUST(again && encoded(*again) == bytes);
}

/// In pieces, as a socket gives them.
void read_stream(std::string_view bytes, std::size_t piece, std::size_t limit, void (*read)(Frame)) {
    FrameReader reader(limit);
    while (!bytes.empty()) {
        const auto now = std::min(piece, bytes.size());
        bytes.copy(reader.room(now), now);
        SG_MUST(reader.room_size() >= now);
        reader.took(now);
        bytes.remove_prefix(now);
        for (;;) {
            auto frame = reader.next();
            if (!frame) return;
            if (!*frame) break;
            read(std::move(**frame));
        }
    }
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.size() < 2) return;
    const auto first = static_cast<unsigned char>(input[0]), second = static_cast<unsigned char>(input[1]);
    input.remove_prefix(2);
    switch (first % 4) {
        case 0:
            return read_from_host({second, std::string(input)});
        case 1:
            return read_to_host({second, std::string(input)});
        case 2:
            return read_stream(input, second + std::size_t{1}, frame_limit_from_host, read_from_host);
        default:
            return read_stream(input, second + std::size_t{1}, frame_limit_to_host, read_to_host);
    }
}
