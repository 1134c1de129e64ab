#pragma once
// A page of the event log: the bytes as fetched, and what was read of each row.

#include <memory>
#include <sg/types.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sg::event {

/// What every part needs of a row; the views point into the page.
struct EventRow {
    EventId id = 0;
    std::string_view type;       ///< `event_type`; empty where the site sent null
    std::string_view attribute;  ///< `attribute_name`; empty where there is none
    EntityId project = 0;        ///< id of the project link; 0 where there is none
    std::chrono::sys_seconds created_at{};
    std::string_view raw;  ///< the row's own JSON text
};

/// Rows in ascending id order, no id twice. Immutable once made, so it is shared, never copied.
///
/// Threads: any.
class EventPage {
public:
    /// `rows` point into `bytes`, into `side` (text that had to be unescaped), or into what `elsewhere`
    /// keeps alive.
    EventPage(std::string bytes, std::vector<EventRow> rows, std::unique_ptr<char[]> side = nullptr,
              std::shared_ptr<const void> elsewhere = nullptr)
        : bytes_(std::move(bytes)),
          side_(std::move(side)),
          elsewhere_(std::move(elsewhere)),
          rows_(std::move(rows)) {}
    EventPage(const EventPage&) = delete;
    EventPage& operator=(const EventPage&) = delete;

    std::span<const EventRow> rows() const noexcept { return rows_; }
    std::size_t bytes() const noexcept { return bytes_.size(); }
    std::string_view text() const noexcept { return bytes_; }

private:
    const std::string bytes_;  // const: a moved string would take its short buffer, and the views, along
    const std::unique_ptr<char[]> side_;
    const std::shared_ptr<const void> elsewhere_;
    const std::vector<EventRow> rows_;
};

using PagePtr = std::shared_ptr<const EventPage>;

/// One row of a shared page. Keeps the whole page alive: hold few, and not for long.
struct EventHandle {
    PagePtr page;
    std::uint32_t index = 0;

    const EventRow& row() const noexcept { return page->rows()[index]; }
    EventId id() const noexcept { return row().id; }
};

/// A page of one row, owning a copy of its bytes: for what must be kept long (a retry) without
/// holding a whole page for it.
EventHandle detach(const EventRow& row);

}  // namespace sg::event
