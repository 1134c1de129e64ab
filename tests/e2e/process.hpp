#pragma once
// A child process of a test: started, watched, and never left behind.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace sg::test {

inline std::string read_file(const std::filesystem::path& file) {
    std::stringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

/// How a process ended: its exit code, or the signal that killed it.
struct Ended {
    int code = -1;  ///< -1: killed
    int signal = 0;
    friend bool operator==(const Ended&, const Ended&) = default;
};
inline std::ostream& operator<<(std::ostream& out, const Ended& ended) {
    return ended.signal != 0 ? out << "killed by signal " << ended.signal : out << "exit code " << ended.code;
}

/// One program with its output in files. Killed, and reaped, at the latest when this goes.
///
/// Threads: one.
class Process {
public:
    /// `environment` is the whole environment, as `NAME=value`, but for the options of sanitizers, which
    /// every process of a test obeys. Output is added to the files.
    Process(std::vector<std::string> command, std::vector<std::string> environment,
            const std::filesystem::path& out, const std::filesystem::path& err) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        for (const auto* name : {"ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"})
            if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
        const auto argv = pointers(command), envp = pointers(environment);
        const int error =
            ::posix_spawn(&pid_, command.front().c_str(), &actions, nullptr, argv.data(), envp.data());
        posix_spawn_file_actions_destroy(&actions);
        if (error != 0) throw std::runtime_error("cannot start " + command.front());
        pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    }
    Process(Process&&) = delete;
    ~Process() {
        if (!ended_) signal(SIGKILL);
        wait(std::chrono::seconds(10));
    }

    int pid() const noexcept { return pid_; }
    void signal(int number) const {
        if (!ended_) ::kill(pid_, number);
    }

    /// nullopt: still running after `at_most`.
    std::optional<Ended> wait(std::chrono::milliseconds at_most) {
        if (ended_) return ended_;
        pollfd poll{pidfd_.get(), POLLIN, 0};
        if (::poll(&poll, 1, static_cast<int>(at_most.count())) != 1) return std::nullopt;
        int status = 0;
        ::waitpid(pid_, &status, 0);
        ended_ = WIFSIGNALED(status) ? Ended{-1, WTERMSIG(status)} : Ended{WEXITSTATUS(status), 0};
        return ended_;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& strings) {
        std::vector<char*> out;
        for (auto& s : strings) out.push_back(s.data());
        out.push_back(nullptr);
        return out;
    }
    pid_t pid_ = -1;
    UniqueFd pidfd_;
    std::optional<Ended> ended_;
};

/// A command that ends by itself, with all that it said.
struct Ran {
    Ended ended;
    std::string out, err;
};
inline Ran run_to_end(const std::vector<std::string>& command, const std::filesystem::path& scratch,
                      const std::vector<std::string>& environment = {}) {
    std::filesystem::remove(scratch / "out");
    std::filesystem::remove(scratch / "err");
    Process process(command, environment, scratch / "out", scratch / "err");
    const auto ended = process.wait(std::chrono::seconds(60));
    return {ended.value_or(Ended{}), read_file(scratch / "out"), read_file(scratch / "err")};
}

}  // namespace sg::test
