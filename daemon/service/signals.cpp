// The main thread of a running daemon.

#include "service/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cstdlib>
#include <system_error>

#include "util/thread.hpp"

namespace sg::service {
namespace {

class Attendant {
public:
    Attendant(Service& service, logging::Logging& logging)
        : service_(service), logging_(logging), log_(logging.engine()) {}

    void attend(int number) {
        switch (number) {
            case SIGTERM:
                return stop("SIGTERM");
            case SIGINT:
                return stop("SIGINT");
            case SIGUSR1:
                return service_.poll_now();
            case SIGHUP:
                return service_.reload();
            case SIGUSR2:
                return logging_.reopen();
            default:
                return;
        }
    }

private:
    void stop(const char* name) {
        if (std::exchange(stopping_, true)) {
            log_.warning("[STOPPED-AT-ONCE] A second signal: not waiting for what runs. signal={}", name);
            logging_.flush();
            std::_Exit(static_cast<int>(ExitCode::interrupted));
        }
        service_.stop(name);
    }

    Service& service_;
    logging::Logging& logging_;
    Logger& log_;
    bool stopping_ = false;
};

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

ExitCode run_with_signals(Service& service, Signals& signals, logging::Logging& logging) {
    UniqueFd done(::eventfd(0, EFD_CLOEXEC));
    if (!done) throw std::system_error(errno, std::generic_category(), "eventfd");
    ExitCode code = ExitCode::bug;
    auto thread = start_thread("service", [&](std::stop_token) {
        code = service.run();
        ::eventfd_write(done.get(), 1);
    });
    Attendant attendant(service, logging);
    for (;;) {
        std::array<pollfd, 2> waiting{{{signals.fd(), POLLIN, 0}, {done.get(), POLLIN, 0}}};
        ::poll(waiting.data(), waiting.size(), -1);
        if (waiting[1].revents != 0) {
            thread.join();  // a word through a descriptor wakes this thread, but orders no memory
            return code;
        }
        while (const int number = signals.take()) attendant.attend(number);
    }
}

}  // namespace sg::service
