#pragma once
// A file of lines that is put aside at midnight.

#include <chrono>
#include <filesystem>
#include <memory>
#include <string_view>

#include "logging/archivist.hpp"
#include "util/fd.hpp"
#include "util/result.hpp"

namespace sg::logging {

/// Appends whole lines, each with one write, to a file that only the user may read. With `rotate` the first
/// line after a local midnight puts what was there before aside, as `<file>.YYYY-MM-DD`, the day of its
/// lines.
///
/// Whoever rotates it from outside renames the file and calls `reopen`; until then lines go to the renamed
/// one.
///
/// Threads:  one at a time.
/// Lifetime: outlived by the archivist.
class LogFile {
public:
    using Time = std::chrono::system_clock::time_point;

    /// Errors: the file cannot be opened.
    static Result<std::unique_ptr<LogFile>> open(std::filesystem::path file, bool rotate, Time now,
                                                 Archivist& archivist);

    /// `line` ends with a newline. Errors: it could not be written, or not all of it.
    Result<void> write(std::string_view line, Time when);

    /// Goes on in the file that has the name now. Errors: it cannot be opened; then lines go where they went.
    Result<void> reopen();

    const std::filesystem::path& path() const noexcept { return file_; }

private:
    LogFile(std::filesystem::path file, bool rotate, Archivist& archivist)
        : file_(std::move(file)), rotate_(rotate), archivist_(archivist) {}

    void begin_day(Time day);
    void put_aside();

    const std::filesystem::path file_;
    const bool rotate_;
    Archivist& archivist_;
    UniqueFd fd_;
    std::string day_;  // of the lines, YYYY-MM-DD
    Time ends_{};      // the day
};

}  // namespace sg::logging
