#include "util/thread.hpp"

#include <pthread.h>
#include <csignal>

namespace sg {

std::jthread start_thread(const std::string& name, std::function<void(std::stop_token)> body) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited, so no signal can arrive in between
    std::jthread thread([name = name.substr(0, 15), body = std::move(body)](std::stop_token stop) {
        pthread_setname_np(pthread_self(), name.c_str());
        body(std::move(stop));
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace sg
