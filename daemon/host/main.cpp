// sgeventd-host: the process in which one plugin runs. Started by the daemon, with fixed descriptors.

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <cstdio>

#include "host/crash_trace.hpp"
#include "host/link/host_fds.hpp"
#include "host/link/socket_channel.hpp"
#include "host/run/host_run.hpp"

namespace {

bool is_socket(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

int say_what_this_is() {
    std::fputs(
        "sgeventd-host runs one plugin for sgeventd, which starts it by itself.\n"
        "There is nothing to start by hand; see sgeventd --help.\n",
        stderr);
    return EX_USAGE;
}

}  // namespace

int main(int argc, char**) {
    using namespace sg::host;
    if (argc != 2 || !is_socket(socket_fd)) return say_what_this_is();
    auto page = SharedRunPage::open(sg::UniqueFd(run_page_fd));
    if (!page) return say_what_this_is();
    // What a plugin starts must not hold the link open, nor the lock.
    for (const int fd : {socket_fd, run_page_fd, lock_fd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    install_crash_trace();
    SocketHostChannel channel{sg::UniqueFd(socket_fd)};
    // The daemon is gone, or wants this host gone: at once, whatever a callback is doing.
    HostRun host(channel, page->page(), [] { ::_exit(EX_OK); });
    host.run();
    return EX_OK;
}
