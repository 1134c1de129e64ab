// sgeventd start, stop, restart

#include "cli/background_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "checkpoint/lock_holder.hpp"
#include "cli/commands.hpp"
#include "config/together.hpp"
#include "util/fd.hpp"

namespace sg::cli {
namespace {

using Steady = std::chrono::steady_clock;

ExitCode explain_exit(ExitCode code, const std::string& what) {
    std::fprintf(stderr, "sgeventd: %s\n", what.c_str());
    return code;
}

void print_problems(const std::vector<config::Problem>& problems) {
    for (const auto& problem : problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
}

/// Waits for `fd` to be readable; false when `until` comes first.
bool wait_readable(int fd, Steady::time_point until) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
        pollfd waiting{fd, POLLIN, 0};
        const int got =
            ::poll(&waiting, 1, static_cast<int>(std::max(left, std::chrono::milliseconds(0)).count()));
        if (got > 0) return true;
        if (got == 0) return false;
    }
}

/// A child that becomes the daemon, and what it tells us.
class Newborn {
public:
    explicit Newborn(const std::vector<std::filesystem::path>& configs) {
        std::array<int, 2> told{}, said{};
        if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, told.data()) != 0 ||
            ::pipe2(said.data(), O_CLOEXEC) != 0)
            throw std::system_error(errno, std::generic_category(), "socketpair");
        told_.reset(told[0]);
        said_.reset(said[0]);
        UniqueFd tell(told[1]), say(said[1]);
        // Nothing has started a thread yet, so the child may do whatever it likes.
        pid_ = ::fork();
        if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (pid_ == 0) {
            told_.reset();
            said_.reset();
            become_daemon(configs, std::move(tell), std::move(say));
        }
        process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    }

    int pid() const noexcept { return pid_; }

    /// Until it is ready (true), has ended, or time is up.
    bool wait_ready(Steady::time_point until) {
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
            std::array<pollfd, 2> waiting{{{told_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}}};
            const int got = ::poll(waiting.data(), waiting.size(),
                                   static_cast<int>(std::max(left, std::chrono::milliseconds(0)).count()));
            if (got == 0) return false;
            std::array<char, 4096> text{};
            const auto size = ::recv(told_.get(), text.data(), text.size(), MSG_DONTWAIT);
            const std::string_view message(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
            if (message.find("READY=1") != std::string_view::npos) return true;
            if (message.empty() && waiting[1].revents != 0) return false;
        }
    }

    /// Its exit code; ends it first if it still runs.
    ExitCode end(bool& was_ended) {
        was_ended = !wait_readable(process_.get(), Steady::now());
        if (was_ended) {
            ::kill(pid_, SIGTERM);
            if (!wait_readable(process_.get(), Steady::now() + std::chrono::seconds(10)))
                ::kill(pid_, SIGKILL);
        }
        int status = 0;
        ::waitpid(pid_, &status, 0);
        return WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::bug;
    }

    /// What it wrote to its standard error.
    std::string words() const {
        std::string out;
        std::array<char, 4096> text{};
        ::fcntl(said_.get(), F_SETFL, O_NONBLOCK);  // somebody else may have it open still
        for (ssize_t n = 0; (n = ::read(said_.get(), text.data(), text.size())) > 0;)
            out.append(text.data(), static_cast<std::size_t>(n));
        return out;
    }

private:
    [[noreturn]] static void become_daemon(const std::vector<std::filesystem::path>& configs, UniqueFd tell,
                                           UniqueFd say) {
        ::setsid();  // the terminal's signals are not for us
        const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
        ::dup2(nothing.get(), STDIN_FILENO);
        ::dup2(nothing.get(), STDOUT_FILENO);
        ::dup2(say.get(), STDERR_FILENO);
        say.reset();
        int code = static_cast<int>(ExitCode::bug);
        if (::chdir("/") == 0) {  // keeps no file system from being unmounted
            try {
                code = static_cast<int>(run_command({configs}, service::Notifier(std::move(tell))));
            } catch (const std::exception& error) {
                std::fprintf(stderr, "sgeventd: this is a bug: %s\n", error.what());
            }
        }
        std::fflush(nullptr);
        std::_Exit(code);
    }

    int pid_ = -1;
    UniqueFd told_, said_, process_;
};

/// What is added to a file from now on.
class Addition {
public:
    explicit Addition(std::filesystem::path file) : file_(std::move(file)) {
        std::error_code absent;
        const auto size = std::filesystem::file_size(file_, absent);
        if (!absent) size_ = size;
    }
    std::string text() const {
        std::ifstream in(file_, std::ios::binary);
        in.seekg(static_cast<std::streamoff>(size_));
        std::stringstream text;
        if (in) text << in.rdbuf();
        return text.str();
    }

private:
    std::filesystem::path file_;
    std::uintmax_t size_ = 0;
};

std::optional<std::filesystem::path> state_directory_of(const StopOptions& options, ExitCode& code) {
    if (!options.state_dir.empty()) return options.state_dir;
    if (options.config.empty()) {
        code = explain_exit(ExitCode::usage, "say which daemon: --config FILE or --state-dir PATH");
        return std::nullopt;
    }
    const auto loaded = config::load(options.config, config::process_environment, config::Secrets::leave);
    if (loaded) return loaded->config.state_dir;
    print_problems(loaded.error());
    code =
        explain_exit(ExitCode::config, "the configuration does not say which daemon: use --state-dir PATH");
    return std::nullopt;
}

}  // namespace

ExitCode start_command(const StartOptions& options) {
    std::vector<std::filesystem::path> configs;
    for (const auto& config : options.configs) configs.push_back(std::filesystem::absolute(config));
    const auto loaded = config::load_together(configs);
    if (!loaded) {
        print_problems(loaded.error());
        return ExitCode::config;
    }
    std::vector<Addition> logs;
    for (const auto& one : *loaded) {
        if (one.config.log.file.empty())
            return explain_exit(ExitCode::config,
                                "log.file is not set: in the background there is no other place for the log");
        logs.emplace_back(one.config.log.file);
    }
    Newborn daemon(configs);
    if (daemon.wait_ready(Steady::now() + options.timeout)) {
        std::printf("started, pid %d\n", daemon.pid());
        return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
    }
    bool was_ended = false;
    const auto code = daemon.end(was_ended);
    auto words = daemon.words();
    for (const auto& log : logs) words += log.text();
    std::fputs(words.c_str(), stderr);
    if (was_ended)
        return explain_exit(ExitCode::unavailable, "the daemon did not become ready in time; it was ended");
    return explain_exit(code == ExitCode::ok ? ExitCode::bug : code, "the daemon did not start");
}

ExitCode stop_command(const StopOptions& options) {
    ExitCode code = ExitCode::ok;
    const auto state = state_directory_of(options, code);
    if (!state) return code;
    auto holder = checkpoint::lock_holder(*state);
    if (!holder)
        return explain_exit(
            holder.error().cause == Cause::permission ? ExitCode::not_allowed : ExitCode::unavailable,
            holder.error().message);
    if (!*holder) {
        std::printf("no daemon uses %s\n", state->c_str());
        return ExitCode::ok;
    }
    const int process = (*holder)->process.get();
    if (::syscall(SYS_pidfd_send_signal, process, SIGTERM, nullptr, 0) != 0 && errno != ESRCH)
        return explain_exit(ExitCode::not_allowed,
                            fmt::format("pid {}: {}", (*holder)->pid, std::strerror(errno)));
    if (!wait_readable(process, Steady::now() + options.timeout))
        return explain_exit(ExitCode::unavailable,
                            fmt::format("pid {} was asked to stop, and has not done so in {}s",
                                        (*holder)->pid, options.timeout.count()));
    std::printf("stopped, pid %d\n", (*holder)->pid);
    return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
}

ExitCode restart_command(const StartOptions& options) {
    const auto loaded = config::load_together(options.configs);
    if (!loaded) {
        print_problems(loaded.error());
        return ExitCode::config;
    }
    for (const auto& one : *loaded)
        if (const auto code = stop_command({{}, one.config.state_dir, options.timeout}); code != ExitCode::ok)
            return code;
    return start_command(options);
}

}  // namespace sg::cli
