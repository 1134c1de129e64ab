#pragma once
// A link inside one process: messages are moved, not encoded.

#include <memory>

#include "host/link/channel.hpp"
#include "util/loop.hpp"

namespace sg::host {

/// Both ends. Each may be destroyed first; the other one then sees the link end.
struct MemoryLink {
    std::unique_ptr<DaemonChannel> daemon;
    std::unique_ptr<HostChannel> host;
};

/// Lifetime: the loop outlives both ends.
MemoryLink make_memory_link(Loop& loop);

}  // namespace sg::host
