#pragma once
// Which rows have changed, by their keys, for whoever follows the state of a site.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg::sandbox {

/// Keys of rows that were written since somebody last took them. What a row holds, and whether it is
/// still there, is looked up when they are taken, under the same lock that guards the rows: between
/// two operations of the site, so that no operation is ever seen in halves.
struct Changes {
    std::vector<std::pair<std::string, std::int64_t>> records;  ///< type and id; some more than once
    std::vector<std::int64_t> events;                           ///< in the order they were written
    bool sequences = false;                                     ///< the next event id was set by hand

    void record(std::string_view type, std::int64_t id) {
        if (!records.empty() && records.back().second == id && records.back().first == type) return;
        records.emplace_back(type, id);
    }
    bool schema = false;  ///< types or fields were edited
    bool empty() const noexcept { return records.empty() && events.empty() && !sequences && !schema; }
};

}  // namespace sg::sandbox
