#pragma once
// Events in a file.

#include <filesystem>
#include <istream>
#include <memory>
#include <sg/logger.hpp>
#include <string>

#include "event/event_page.hpp"
#include "stream/page_reader.hpp"
#include "util/result.hpp"

namespace sg::service {

/// Reads events from JSON lines: each line is a row as the site sent it, or a dead letter as `dead-letters
/// export` writes it. Empty lines count for nothing.
///
/// Threads: one.
class Recording {
public:
    /// `name` is what messages call it. Keeps both references.
    Recording(std::istream& in, std::string name, Logger& log) : in_(in), name_(std::move(name)), log_(log) {}

    /// The next event as a page of its own, in the order of the file; null at the end. A last line that was
    /// cut short, as a killed recorder leaves it, is passed over with a warning.
    /// Errors: `invalid`, with the line's number, for a line that is no event; nothing follows it.
    Result<event::PagePtr> next();

private:
    Result<event::PagePtr> read(const std::string& line);

    std::istream& in_;
    const std::string name_;
    Logger& log_;
    stream::PageReader pages_;
    std::size_t number_ = 0;  // of the line
};

/// What `Recording` reads: the row on one line.
std::string as_line(const event::EventRow& row);

}  // namespace sg::service
