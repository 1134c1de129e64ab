#pragma once
// Where lines go, and what they look like there.

#include <spdlog/sinks/sink.h>

#include <functional>
#include <memory>
#include <string>

#include "logging/log_file.hpp"

namespace sg::logging {

/// How a line looks: for people, for the journal (`<priority>` and no time), for programs, as the old
/// daemon's, or nothing but its text.
enum class Layout { text, coloured, journal, json, old, bare };

/// With a `site` each line names it before its logger.
std::unique_ptr<spdlog::formatter> formatter_for(Layout layout, const std::string& site = {});

spdlog::sink_ptr stderr_sink(bool json, bool journal, const std::string& site);

/// A file as a sink. Threads: any.
class FileSink : public spdlog::sinks::sink {
public:
    virtual Result<void> reopen() = 0;
};
std::shared_ptr<FileSink> file_sink(std::unique_ptr<LogFile> file, Layout layout);

/// What is before the closing bracket of a line's code, or nothing.
std::string_view code_of(std::string_view line);

}  // namespace sg::logging
