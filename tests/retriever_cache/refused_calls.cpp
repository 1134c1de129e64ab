// The C library's functions of these names, for the whole program.

#include "retriever_cache/refused_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

namespace {

std::atomic<sg::test::RefusedCalls*> refused{nullptr};

bool refuses(std::atomic<int> sg::test::RefusedCalls::*which) {
    auto* calls = refused.load();
    const int error = calls == nullptr ? 0 : (calls->*which).load();
    if (error != 0) errno = error;
    return error != 0;
}

}  // namespace

sg::test::RefusedCalls::RefusedCalls() { refused = this; }
sg::test::RefusedCalls::~RefusedCalls() { refused = nullptr; }

extern "C" {

int utimensat(int folder, const char* path, const timespec* times, int flags) noexcept {
    if (refuses(&sg::test::RefusedCalls::times)) return -1;
    return static_cast<int>(::syscall(SYS_utimensat, folder, path, times, flags));
}

int futimens(int fd, const timespec* times) noexcept {
    if (refuses(&sg::test::RefusedCalls::times)) return -1;
    return static_cast<int>(::syscall(SYS_utimensat, fd, nullptr, times, 0));
}

int fchmod(int fd, mode_t mode) noexcept {
    if (refuses(&sg::test::RefusedCalls::modes)) return -1;
    return static_cast<int>(::syscall(SYS_fchmod, fd, mode));
}

int chmod(const char* path, mode_t mode) noexcept {
    if (refuses(&sg::test::RefusedCalls::modes)) return -1;
    return static_cast<int>(::syscall(SYS_fchmodat, AT_FDCWD, path, mode));
}

int fsync(int fd) {
    if (refuses(&sg::test::RefusedCalls::sync)) return -1;
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    auto* calls = refused.load();
    if (calls != nullptr && calls->before_moving) calls->before_moving(from);
    if (refuses(&sg::test::RefusedCalls::removing)) return -1;
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
}

int unlinkat(int folder, const char* path, int flags) noexcept {
    if (refuses(&sg::test::RefusedCalls::removing)) return -1;
    return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
}
}
