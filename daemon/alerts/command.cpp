#include "alerts/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "util/fd.hpp"

namespace sg::alerts {
namespace {

// No keys: those of the daemon may be in its environment.
constexpr std::array usual_environment{"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"};
constexpr std::size_t most_said = 1000;

std::string system_text() { return std::strerror(errno); }

/// Standard input of the program: all of it is there before it starts, so nobody waits for it to read.
Result<UniqueFd> input_of(const std::string& text) {
    UniqueFd file(::memfd_create("alert", MFD_CLOEXEC));
    std::string_view rest = text;
    while (file && !rest.empty()) {
        const auto n = ::write(file.get(), rest.data(), rest.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(Cause::internal, "cannot make its input: {}", system_text());
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
    if (!file || ::lseek(file.get(), 0, SEEK_SET) != 0)
        return fail(Cause::internal, "cannot make its input: {}", system_text());
    return file;
}

/// A program in a process group of its own, killed and reaped at the latest when this goes.
class Child {
public:
    Child() = default;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ == 0) return;
        kill();
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) continue;
    }

    Result<void> start(const std::vector<std::string>& argv, int input, int said) {
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
        ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
        ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files, said, STDERR_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
        ::posix_spawn_file_actions_addchdir_np(&files, "/");
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        std::vector<std::string> words = argv, variables;
        for (const char* name : usual_environment)
            if (const char* value = std::getenv(name)) variables.push_back(std::string(name) + "=" + value);
        const auto arguments = pointers(words), environment = pointers(variables);
        pid_t pid = 0;
        const int error = ::posix_spawn(&pid, words.front().c_str(), &files, &attributes, arguments.data(),
                                        environment.data());
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
        if (error != 0) return fail(Cause::internal, "cannot be started: {}", std::strerror(error));
        pid_ = pid;
        pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!pidfd_) return fail(Cause::internal, "cannot be watched: {}", system_text());
        return {};
    }

    int pidfd() const noexcept { return pidfd_.get(); }
    void kill() const { ::kill(-pid_, SIGKILL); }  // not reaped yet, so the number is still its own

    /// Once the descriptor is readable.
    Result<void> reap() {
        kill();  // what it has left behind
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0)
            return fail(Cause::internal, "cannot be waited for: {}", system_text());
        pid_ = 0;
        if (info.si_code == CLD_EXITED && info.si_status == 0) return {};
        if (info.si_code == CLD_EXITED) return fail(Cause::bad_answer, "exited with {}", info.si_status);
        return fail(Cause::bad_answer, "killed by signal {}", info.si_status);
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> out;
        for (auto& text : texts) out.push_back(text.data());
        out.push_back(nullptr);
        return out;
    }

    pid_t pid_ = 0;
    UniqueFd pidfd_;
};

class CommandSender final : public Sender {
public:
    CommandSender(CommandSettings settings, Origin origin)
        : settings_(std::move(settings)), origin_(std::move(origin)) {}

    Result<void> send(const Message& message, std::stop_token stop) override {
        auto done = run(
            to_json(message, origin_).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), stop);
        if (!done) return fail(std::move(done.error()), "{}", settings_.argv.front());
        return {};
    }

private:
    Result<void> run(const std::string& text, const std::stop_token& stop) const {
        const auto input = input_of(text);
        if (!input) return tl::unexpected(input.error());
        int pipe[2] = {-1, -1};
        if (::pipe2(pipe, O_CLOEXEC) != 0)
            return fail(Cause::internal, "cannot make a pipe: {}", system_text());
        UniqueFd said(pipe[0]), says(pipe[1]);
        const UniqueFd stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        std::stop_callback wake(stop, [&stopped] { ::eventfd_write(stopped.get(), 1); });
        ::fcntl(said.get(), F_SETFL, O_NONBLOCK);

        Child child;
        if (auto started = child.start(settings_.argv, input->get(), says.get()); !started) return started;
        says.reset();
        const auto end = std::chrono::steady_clock::now() + settings_.timeout;
        std::string last;
        for (bool open = true;;) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
            std::array<pollfd, 3> waiting{{{child.pidfd(), POLLIN, 0},
                                           {stopped.get(), POLLIN, 0},
                                           {open ? said.get() : -1, POLLIN, 0}}};
            ::poll(waiting.data(), waiting.size(), std::max(0, static_cast<int>(left.count())));
            if (open && waiting[2].revents != 0) open = read_some(said.get(), last);
            if (waiting[1].revents != 0) return fail(Cause::stopped, "stopped");
            if (waiting[0].revents != 0) break;
            if (std::chrono::steady_clock::now() >= end)
                return fail(Cause::timed_out, "did not end within {} ms", settings_.timeout.count());
        }
        while (read_some(said.get(), last)) continue;
        auto ended = child.reap();
        if (!ended && !last.empty()) ended.error().message += ", having said: " + last;
        return ended;
    }

    /// Keeps the end of what the program says; false at its end, or while there is nothing.
    static bool read_some(int fd, std::string& last) {
        std::array<char, 4096> bytes{};
        const auto n = ::read(fd, bytes.data(), bytes.size());
        if (n <= 0) return false;
        last.append(bytes.data(), static_cast<std::size_t>(n));
        if (last.size() > most_said) last.erase(0, last.size() - most_said);
        return true;
    }

    const CommandSettings settings_;
    const Origin origin_;
};

}  // namespace

std::unique_ptr<Sender> make_command_sender(CommandSettings settings, Origin origin) {
    return std::make_unique<CommandSender>(std::move(settings), std::move(origin));
}

}  // namespace sg::alerts
