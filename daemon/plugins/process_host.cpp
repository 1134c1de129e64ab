// A host in a child process.

#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "host/link/host_fds.hpp"
#include "host/link/socket_channel.hpp"
#include "plugins/host_body.hpp"
#include "plugins/line_capture.hpp"

namespace sg::plugins {
namespace {

// What a plugin and its libraries need to find their way. No notify socket, no credentials, no keys.
constexpr std::array usual_environment{
    "PATH",         "HOME",          "USER",         "LOGNAME",     "SHELL", "LANG",   "LANGUAGE",
    "LC_ALL",       "LC_CTYPE",      "LC_NUMERIC",   "LC_TIME",     "TZ",    "TMPDIR", "LD_LIBRARY_PATH",
    "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};

std::vector<std::string> host_environment(const std::vector<std::string>& more) {
    std::vector<std::string> out;
    const auto add = [&out](const char* name) {
        if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
    };
    for (const char* name : usual_environment) add(name);
    for (const auto& name : more) add(name.c_str());
    return out;
}

std::string describe(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return fmt::format("exited with {}", info.si_status);
    const char* name = ::sigabbrev_np(info.si_status);
    return name != nullptr ? fmt::format("killed by SIG{}", name)
                           : fmt::format("killed by signal {}", info.si_status);
}

/// Set before the host was told what to load: none of the plugin's code runs without them.
void limit(pid_t pid, const PluginSettings& settings) {
    const auto set = [pid](__rlimit_resource what, std::uint64_t value) {
        const rlimit both{value, value};
        ::prlimit(pid, what, &both, nullptr);
    };
    if (settings.memory_bytes) set(RLIMIT_AS, *settings.memory_bytes);
    if (settings.cpu_time) set(RLIMIT_CPU, static_cast<std::uint64_t>(settings.cpu_time->count()));
    if (settings.open_files) set(RLIMIT_NOFILE, *settings.open_files);
    if (settings.nice != 0) {
        errno = 0;
        const int own = ::getpriority(PRIO_PROCESS, 0);
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), own + settings.nice);
    }
}

class ProcessHost final : public HostBody {
public:
    ProcessHost(Loop& loop, Logger& log, pid_t pid, UniqueFd pidfd, UniqueFd socket, UniqueFd out,
                UniqueFd err, host::SharedRunPage page, std::shared_ptr<host::SharedPages> pages)
        : loop_(loop),
          log_(log),
          pid_(pid),
          pidfd_(std::move(pidfd)),
          page_(std::move(page)),
          channel_(loop, std::move(socket), std::move(pages)),
          out_(
              loop, std::move(out), [this](std::string_view line) { log_.write(LogLevel::info, line); },
              [this](std::uint64_t lines) { tell_dropped(lines); }),
          err_(
              loop, std::move(err), [this](std::string_view line) { log_.write(LogLevel::warning, line); },
              [this](std::uint64_t lines) { tell_dropped(lines); }) {}

    ~ProcessHost() override {
        if (pid_ == 0) return;
        kill();
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) continue;
    }

    host::DaemonChannel& channel() override { return channel_; }
    const host::RunPage& page() const override { return page_.page(); }
    void on_end(std::function<void(End)> ended) override {
        ended_ = std::move(ended);
        watch_ = loop_.watch(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { reap(); });
    }
    bool can_be_killed() const noexcept override { return true; }
    void abort() override { signal(SIGABRT); }
    void kill() override { signal(SIGKILL); }
    int pid() const noexcept override { return pid_; }

private:
    void signal(int number) {
        if (pid_ != 0) ::kill(pid_, number);  // not reaped yet, so the number is still its own
    }
    void tell_dropped(std::uint64_t lines) {
        log_.warning("[HOST-LINES-DROPPED] The plugin's host writes too much; lines were dropped. lines={}",
                     lines);
    }
    void reap() {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
            return;
        watch_.reset();
        pid_ = 0;
        out_.finish();
        err_.finish();
        const bool clean = info.si_code == CLD_EXITED && info.si_status == 0;
        const auto ended = std::move(ended_);
        ended({clean, describe(info), err_.last_lines()});
    }

    Loop& loop_;
    Logger& log_;
    pid_t pid_;
    UniqueFd pidfd_;
    host::SharedRunPage page_;
    host::SocketDaemonChannel channel_;
    LineCapture out_, err_;
    std::function<void(End)> ended_;
    Loop::Handle watch_;
};

struct Pipe {
    UniqueFd read, write;
};
bool make_pipe(Pipe& pipe) {
    int fds[2] = {-1, -1};
    if (::pipe2(fds, O_CLOEXEC) != 0) return false;
    pipe.read.reset(fds[0]);
    pipe.write.reset(fds[1]);
    return true;
}

/// A descriptor out of the way of the fixed numbers, so that handing out one overwrites no other.
UniqueFd out_of_the_way(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 16)); }

class SpawnActions {
public:
    SpawnActions() {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawnattr_init(&attributes_);
    }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    ~SpawnActions() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    posix_spawn_file_actions_t* files() { return &files_; }
    posix_spawnattr_t* attributes() { return &attributes_; }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

struct Ends {
    UniqueFd socket, page, lock, out, err;
};

Result<pid_t> spawn(const ProcessPlan& plan, const Ends& host) {
    SpawnActions actions;
    auto* files = actions.files();
    ::posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(files, host.out.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(files, host.err.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(files, host.socket.get(), host::socket_fd);
    ::posix_spawn_file_actions_adddup2(files, host.page.get(), host::run_page_fd);
    ::posix_spawn_file_actions_adddup2(files, host.lock.get(), host::lock_fd);
    ::posix_spawn_file_actions_addclosefrom_np(files, host::lock_fd + 1);
    ::posix_spawn_file_actions_addchdir_np(files, "/");
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(actions.attributes(), &none);
    ::posix_spawnattr_setsigdefault(actions.attributes(), &all);
    // A group of its own: Ctrl-C on the daemon's terminal is the daemon's to answer.
    ::posix_spawnattr_setpgroup(actions.attributes(), 0);
    ::posix_spawnattr_setflags(actions.attributes(),
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    auto environment = host_environment(plan.environment);
    std::vector<char*> variables;
    for (auto& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    std::string name = "sgeventd-host", plugin = plan.plugin;
    std::array<char*, 3> arguments{name.data(), plugin.data(), nullptr};
    const auto program = std::filesystem::absolute(plan.program);
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, program.c_str(), files, actions.attributes(), arguments.data(), variables.data());
    if (error != 0)
        return fail(Cause::internal, "cannot start {}: {}", program.string(), std::strerror(error));
    return pid;
}

}  // namespace

Result<std::unique_ptr<HostBody>> start_process_host(Loop& loop, const ProcessPlan& plan) {
    const auto refused = [](const char* what) {
        return fail(Cause::internal, "cannot make {} for a host: {}", what, std::strerror(errno));
    };
    auto page = host::SharedRunPage::make();
    if (!page) return tl::unexpected<Failure>(page.error());
    int pair[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return refused("a socket");
    UniqueFd ours(pair[0]), theirs(pair[1]);
    Pipe out, err;
    if (!make_pipe(out) || !make_pipe(err)) return refused("a pipe");
    const Ends host{out_of_the_way(theirs.get()), out_of_the_way(page->fd()), out_of_the_way(plan.lock_fd),
                    out_of_the_way(out.write.get()), out_of_the_way(err.write.get())};
    if (!host.socket || !host.page || !host.lock || !host.out || !host.err) return refused("a descriptor");
    const auto pid = spawn(plan, host);
    if (!pid) return tl::unexpected<Failure>(pid.error());
    limit(*pid, *plan.settings);
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    if (!pidfd) {
        const auto why = refused("a process descriptor");
        ::kill(*pid, SIGKILL);
        ::waitpid(*pid, nullptr, 0);
        return why;
    }
    return std::make_unique<ProcessHost>(loop, *plan.log, *pid, std::move(pidfd), std::move(ours),
                                         std::move(out.read), std::move(err.read), std::move(*page),
                                         plan.pages);
}

}  // namespace sg::plugins
