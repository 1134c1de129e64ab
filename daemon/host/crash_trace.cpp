#include "host/crash_trace.hpp"

#include <execinfo.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <string_view>

namespace sg::host {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void install_crash_trace() {}

#else
namespace {

// Big enough for `backtrace`, which walks the stack that overflowed, on a stack of its own.
alignas(16) std::array<char, 32 << 10> spare_stack;

extern "C" void sg_host_crashed(int signal) {
    constexpr std::string_view text = "fatal signal; the frames, innermost first:\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    std::array<void*, 24> frames{};
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
    ::raise(signal);  // the handler was for one time: this one counts
}

}  // namespace

void install_crash_trace() {
    stack_t stack{};
    stack.ss_sp = spare_stack.data();
    stack.ss_size = spare_stack.size();
    ::sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_handler = sg_host_crashed;
    action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

#endif

}  // namespace sg::host
