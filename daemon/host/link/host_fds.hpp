#pragma once
// The descriptors that a host program finds open.

namespace sg::host {

// 0 is /dev/null; 1 and 2 are read by the daemon, line by line.
inline constexpr int socket_fd = 3;
inline constexpr int run_page_fd = 4;
inline constexpr int lock_fd = 5;  ///< a shared lock on hosts.lock, held as long as the host lives

}  // namespace sg::host
