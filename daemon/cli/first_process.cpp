#include "cli/first_process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sg::cli {
namespace {

/// Reaps what has ended; the exit code of `child` if that is among it.
std::optional<int> reap(pid_t child) {
    std::optional<int> code;
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == child) code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return code;
}

}  // namespace

std::optional<service::ExitCode> divide_if_first() {
    if (::getpid() != 1) return std::nullopt;
    sigset_t ours, before;
    sigemptyset(&ours);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2})
        sigaddset(&ours, number);
    ::sigprocmask(SIG_BLOCK, &ours, &before);
    const auto child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        return std::nullopt;
    }
    for (;;) {
        const int number = ::sigwaitinfo(&ours, nullptr);
        if (number > 0 && number != SIGCHLD) ::kill(child, number);
        if (const auto code = reap(child)) return static_cast<service::ExitCode>(*code);
    }
}

}  // namespace sg::cli
