// The main thread of a running daemon.

#include "service/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <system_error>

#include "util/thread.hpp"

namespace sg::service {
namespace {

class Attendant {
public:
    explicit Attendant(const std::vector<Attended>& services) : services_(services) {}

    void attend(int number) {
        if (number == SIGTERM || number == SIGINT) count_stop(number == SIGTERM ? "SIGTERM" : "SIGINT");
        for (const auto& [service, logging] : services_) attend(number, service, logging);
    }

private:
    static void attend(int number, Service& service, logging::Logging& logging) {
        switch (number) {
            case SIGTERM:
                return service.stop("SIGTERM");
            case SIGINT:
                return service.stop("SIGINT");
            case SIGUSR1:
                return service.poll_now();
            case SIGHUP:
                return service.reload();
            case SIGUSR2:
                return logging.reopen();
            default:
                return;
        }
    }

    void count_stop(const char* name) {
        if (!std::exchange(stopping_, true)) return;
        for (const auto& [service, logging] : services_) {
            logging.engine().warning(
                "[STOPPED-AT-ONCE] A second signal: not waiting for what runs. signal={}", name);
            logging.flush();
        }
        std::_Exit(static_cast<int>(ExitCode::interrupted));
    }

    const std::vector<Attended>& services_;
    bool stopping_ = false;
};

/// A service on its thread.
class Running {
public:
    /// `ended` is written to when it has.
    Running(Service& service, int ended)
        : thread_(start_thread("service", [this, &service, ended](std::stop_token) {
              code_ = service.run();
              ::eventfd_write(ended, 1);
          })) {}

    /// Blocks until it has ended: a word through a descriptor wakes a thread, but orders no memory.
    ExitCode code() {
        if (thread_.joinable()) thread_.join();
        return code_;
    }

private:
    ExitCode code_ = ExitCode::bug;
    std::jthread thread_;
};

/// What the process exits with.
ExitCode end_of(std::deque<Running>& running, const std::vector<Attended>& services) {
    auto code = ExitCode::ok;
    for (auto& one : running)
        if (const auto ended = one.code(); code == ExitCode::ok) code = ended;
    const bool abandoned = std::any_of(services.begin(), services.end(),
                                       [](const auto& one) { return one.service.has_abandoned(); });
    if (!abandoned) return code;
    for (const auto& one : services) one.logging.flush();
    std::_Exit(static_cast<int>(code));
}

}  // namespace

Signals::Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw std::system_error(errno, std::generic_category(), "signalfd");
}

int Signals::take() {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)
               ? static_cast<int>(info.ssi_signo)
               : 0;
}

ExitCode run_with_signals(const std::vector<Attended>& services, Signals& signals) {
    UniqueFd ended(::eventfd(0, EFD_CLOEXEC));
    if (!ended) throw std::system_error(errno, std::generic_category(), "eventfd");
    std::deque<Running> running;
    for (const auto& one : services) running.emplace_back(one.service, ended.get());
    Attendant attendant(services);
    for (auto left = services.size(); left > 0;) {
        std::array<pollfd, 2> waiting{{{signals.fd(), POLLIN, 0}, {ended.get(), POLLIN, 0}}};
        ::poll(waiting.data(), waiting.size(), -1);
        eventfd_t count = 0;
        if (waiting[1].revents != 0 && ::eventfd_read(ended.get(), &count) == 0) left -= count;
        while (const int number = signals.take()) attendant.attend(number);
    }
    return end_of(running, services);
}

}  // namespace sg::service
