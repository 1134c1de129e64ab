#pragma once
// Events that the site has, a page at a time: by their ids, or by when they were created.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/event_page.hpp"
#include "stream/event_reader.hpp"
#include "stream/page_reader.hpp"

namespace sg::service {

/// Created at `since` or later and, where it is set, before `until`.
struct Window {
    std::chrono::sys_seconds since;
    std::optional<std::chrono::sys_seconds> until;
};

/// Threads:  one.
/// Lifetime: outlived by the reader.
class IdPages {
public:
    /// `ids`: ascending, apart from one another. `fields`: besides the usual ones.
    IdPages(stream::EventReader& reader, std::vector<stream::IdRange> ids, std::vector<std::string> fields);

    /// The next rows, ascending; null at the end. `covered`: the ranges that this page answers, whole.
    /// Blocks until the site answered. Errors: of the site; `bad_answer` for a page that is none.
    Result<event::PagePtr> next(std::vector<stream::IdRange>& covered);

private:
    void take(EventId through, std::vector<stream::IdRange>& covered);

    stream::EventReader& reader_;
    stream::PageReader pages_;
    std::vector<stream::IdRange> left_;
    const std::shared_ptr<const std::vector<std::string>> fields_;
};

/// Threads:  one.
/// Lifetime: outlived by the reader.
class WindowPages {
public:
    WindowPages(stream::EventReader& reader, const Window& window, std::vector<std::string> fields);

    /// As that of `IdPages`.
    Result<event::PagePtr> next();

private:
    stream::EventReader& reader_;
    stream::PageReader pages_;
    stream::EventQuery query_;
    bool is_over_ = false;
};

}  // namespace sg::service
