#pragma once
// From the bytes of an answer to a page.

#include <memory>

#include "event/event_page.hpp"
#include "stream/event_reader.hpp"
#include "util/result.hpp"

namespace sg::stream {

/// What was noticed while a page was read.
struct PageFacts {
    std::size_t rows = 0;      ///< in the answer, before anything was left out
    std::size_t repeated = 0;  ///< came twice
    std::size_t ignored = 0;   ///< outside what was asked for
    bool reordered = false;    ///< did not come in ascending order
};

struct ReadPage {
    event::PagePtr page;
    PageFacts facts;
};

/// Reads the answer of a `read` on EventLogEntry: the whole document is checked, so that whoever
/// parses a row later finds it sound; then id, type, attribute, project and time of each row.
///
/// One thing amiss refuses the page: a row without a positive integer id, a value of the wrong
/// type, broken text, nesting deeper than 1,000. Rows come out ascending, each id once, and only
/// those that the query asked for. No message holds any of the text.
///
/// Threads: one reader per thread.
class PageReader {
public:
    PageReader();
    ~PageReader();
    PageReader(const PageReader&) = delete;
    PageReader& operator=(const PageReader&) = delete;

    /// Errors: `bad_answer`; or the site's fault, with its `site_code`.
    Result<ReadPage> read(std::string bytes, const EventQuery& query);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sg::stream
