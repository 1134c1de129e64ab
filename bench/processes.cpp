#include "bench/processes.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sg::bench {

namespace {

Seconds cpu(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    const auto seconds = [](const timeval& t) {
        return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<int> children(int pid) {
    std::vector<int> out;
    std::error_code error;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
        std::ifstream in(task.path() / "children");
        for (int child = 0; in >> child;) out.push_back(child);
    }
    return out;
}

long own_kb(int pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("Pss:", 0) != 0) continue;
        std::istringstream words(line.substr(4));
        long kb = 0;
        words >> kb;
        return kb;
    }
    return 0;
}

}  // namespace

Seconds cpu_of_this_process() { return cpu(RUSAGE_SELF); }
Seconds cpu_of_ended_children() { return cpu(RUSAGE_CHILDREN); }

Seconds cpu_of(int pid) {
    std::chrono::nanoseconds sum{};
    std::error_code error;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
        std::ifstream in(task.path() / "schedstat");
        std::int64_t ran = 0;
        in >> ran;
        sum += std::chrono::nanoseconds(ran);
    }
    return sum;
}

int start(const std::vector<std::string>& command, const std::string& log) {
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    int pid = -1;
    const int error = ::posix_spawn(&pid, words[0], &files, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::runtime_error("cannot start " + command.front());
    return pid;
}

int stop(int pid) {
    ::kill(pid, SIGTERM);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

std::vector<long> proportional_kb(int pid) {
    std::vector<long> out{own_kb(pid)};
    for (const int child : children(pid))
        for (const long kb : proportional_kb(child)) out.push_back(kb);
    return out;
}

}  // namespace sg::bench
