#include "logging/log_file.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <system_error>

namespace sg::logging {
namespace {

std::string error_text() { return std::generic_category().message(errno); }

UniqueFd open_to_append(const std::filesystem::path& file) {
    return UniqueFd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(std::filesystem::path file, bool rotate, Time now,
                                               Archivist& archivist) {
    std::unique_ptr<LogFile> made(new LogFile(std::move(file), rotate, archivist));
    if (auto opened = made->reopen(); !opened) return tl::unexpected(opened.error());
    // What an earlier daemon wrote belongs to the day of its last line.
    struct stat info {};
    const bool has_lines = ::fstat(made->fd_.get(), &info) == 0 && info.st_size > 0;
    const auto last = std::chrono::system_clock::from_time_t(info.st_mtime);
    made->begin_day(has_lines && last < now ? last : now);
    if (rotate) archivist.tidy(made->file_);
    return made;
}

Result<void> LogFile::reopen() {
    auto fd = open_to_append(file_);
    if (!fd) return fail(Cause::invalid, "cannot open the log file {}: {}", file_.string(), error_text());
    fd_ = std::move(fd);
    return {};
}

void LogFile::begin_day(Time day) {
    const auto seconds = std::chrono::system_clock::to_time_t(day);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    day_ = fmt::format("{:%Y-%m-%d}", local);
    // The day after may have 23 hours or 25.
    ++local.tm_mday;
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    local.tm_isdst = -1;
    ends_ = std::chrono::system_clock::from_time_t(::mktime(&local));
}

/// Lines are not lost if it fails: they go on in the same file until the next midnight.
void LogFile::put_aside() {
    const auto aside = file_.string() + "." + day_;
    // Never over a file of that name: its lines would be lost.
    for (int i = 0; i < 1000; ++i) {
        const auto name = i == 0 ? aside : fmt::format("{}.{}", aside, i);
        if (std::filesystem::exists(name + ".gz")) continue;
        if (::renameat2(AT_FDCWD, file_.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) break;
        if (errno != EEXIST) return;
    }
    if (reopen()) archivist_.tidy(file_);
}

Result<void> LogFile::write(std::string_view line, Time when) {
    if (rotate_ && when >= ends_) {
        put_aside();
        begin_day(when);
    }
    while (!line.empty()) {
        const auto n = ::write(fd_.get(), line.data(), line.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Cause::internal, "{}: {}", file_.string(), error_text());
        line.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

}  // namespace sg::logging
