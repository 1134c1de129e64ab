#include "host/run/link_logger.hpp"

#include <algorithm>
#include <exception>

namespace sg::host {
namespace {

constexpr std::size_t longest_line = 64 << 10;

}  // namespace

void LogLink::send(LogLine line) {
    if (const auto dropped = dropped_.exchange(0); dropped > 0) {
        if (!channel_.send(LogDropped{dropped}, HostChannel::WhenFull::drop)) {
            dropped_ += dropped + 1;
            return;
        }
    }
    if (!channel_.send(std::move(line), HostChannel::WhenFull::drop)) ++dropped_;
}

void LinkLogger::write(LogLevel level, std::string_view text) noexcept {
    try {
        link_.send({level, std::string(text.substr(0, longest_line)), callback_, event_});
    } catch (const std::exception&) {
        // No memory for a line of log: the line is lost, the callback goes on.
        return;
    }
}

}  // namespace sg::host
