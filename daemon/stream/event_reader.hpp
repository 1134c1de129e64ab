#pragma once
// What the stream asks of a site.

#include <sg/types.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "util/result.hpp"

namespace sg::stream {

/// Ids, both ends included.
struct IdRange {
    EventId first = 0;
    EventId last = 0;
    friend bool operator==(const IdRange&, const IdRange&) = default;
};

/// One query of the event log.
struct EventQuery {
    enum class Kind : std::uint8_t {
        newest,  ///< the row with the highest id alone
        after,   ///< rows above `after`, ascending
        since,   ///< the first row that was created at `since` or later
        window,  ///< rows above `after`, created at `since` or later and before `until`, ascending
        within,  ///< rows inside any of `ranges`, ascending
    };
    Kind kind = Kind::after;
    EventId after = 0;
    std::chrono::sys_seconds since{};
    std::optional<std::chrono::sys_seconds> until{};  ///< nullopt: whatever there is
    std::vector<IdRange> ranges;
    std::int64_t limit = 500;
    std::shared_ptr<const std::vector<std::string>> fields{};  ///< besides the usual ones; null: none
};

/// An answer as it came: JSON by its content type, and no fault where the reader can tell.
struct Fetched {
    std::string body;
    std::optional<UtcTime> date;  ///< the site's clock, from the `Date` header
};

/// One attempt, no retries: the stream decides when to ask again.
///
/// Threads:  `fetch` from several threads at once.
/// Blocks:   `fetch`, until answered or refused; a stop request ends it within milliseconds.
class EventReader {
public:
    virtual Result<Fetched> fetch(const EventQuery& query, std::stop_token stop) = 0;

protected:
    ~EventReader() = default;
};

}  // namespace sg::stream
