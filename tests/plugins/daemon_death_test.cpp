// Hosts and the daemon that they belong to.

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <csignal>
#include <cstdio>

#include "plugins/leftovers.hpp"
#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// A child process with a pipe for its output, killed at the end.
class Child {
public:
    Child(std::vector<std::string> command, int lock_fd = -1) {
        int fds[2];
        REQUIRE(::pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
        out_.reset(fds[0]);
        const UniqueFd write(fds[1]);
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, write.get(), 1);
        if (lock_fd >= 0) ::posix_spawn_file_actions_adddup2(&files, lock_fd, 5);
        std::vector<char*> arguments;
        for (auto& word : command) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        REQUIRE(::posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) == 0);
        ::posix_spawn_file_actions_destroy(&files);
    }
    ~Child() { kill(); }
    void kill() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    bool said(const std::string& word, std::size_t times) {
        char buffer[256];
        const auto n = ::read(out_.get(), buffer, sizeof buffer);
        if (n > 0) text_.append(buffer, static_cast<std::size_t>(n));
        std::size_t count = 0;
        for (auto at = text_.find(word); at != std::string::npos; at = text_.find(word, at + 1)) ++count;
        return count >= times;
    }
    int exit_code() {
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    bool is_dead() { return ::waitpid(pid_, nullptr, WNOHANG) == pid_ && (pid_ = 0) == 0; }

private:
    pid_t pid_ = 0;
    UniqueFd out_;
    std::string text_;
};

}  // namespace

TEST_CASE("no host survives a daemon that was killed, not even one whose callback spins") {
    Rig rig({"good", "loops", "registers_nothing"});
    Child daemon({SG_TINY_DAEMON, rig.dir.path().string()});
    REQUIRE(wait_for([&] { return daemon.said("ready", 3); }));
    auto lock = plugins::HostsLock::open(rig.dir / "hosts.lock").value();
    CHECK(lock.holders().size() >= 3);  // the daemon itself may have it under the same number
    CHECK_FALSE(lock.take());
    const auto killed = std::chrono::steady_clock::now();
    daemon.kill();
    CHECK(wait_for([&] { return lock.holders().empty(); }));
    // The aim is 100 ms; a test on a machine that others share holds nobody to it.
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - killed;
    std::printf("the last host was gone %.1f ms after kill -9\n", took.count());
    // A process is out of sight before its last file is closed.
    CHECK(wait_for([&] { return lock.take(); }));
}

TEST_CASE("a daemon waits for the hosts of the one before it, then names and kills them") {
    Rig rig({"good"});
    UniqueFd lock(::open((rig.dir / "hosts.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::flock(lock.get(), LOCK_SH) == 0);
    Child leftover({"sleep", "1000"}, lock.get());
    // Ours is closed: only the child holds the lock now, as a host of a daemon that is gone would.
    lock.reset();
    rig.options.leftover_wait = 300ms;
    rig.start();
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(rig.wait_ready("good"));
    CHECK(std::chrono::steady_clock::now() - begun >= 300ms);
    CHECK(rig.log.count("[HOST-LEFTOVER]") == 1);
    CHECK(wait_for([&] { return leftover.is_dead(); }));
}

TEST_CASE("a host started by hand says what it is") {
    Child host({plugins::find_host_program().string()});
    CHECK(host.exit_code() == 64);
}
