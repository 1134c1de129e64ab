#pragma once
// What `read`, `summarize` and the searches share: going over rows, and showing their values.

#include <algorithm>
#include <functional>
#include <iterator>
#include <ranges>
#include <vector>

#include "sandbox/filter.hpp"

namespace sg::sandbox {

/// Calls `visit` for the rows whose ids a filter can match, in id order, until it returns false.
/// `candidates`, if given, are ascending ids beside which no row can match.
template <class Rows, class Visit>
void scan(const Rows& rows, const IdRange& ids, const std::vector<Id>* candidates, bool newest_first,
          const Visit& visit) {
    if (ids.lowest > ids.highest) return;
    if (candidates != nullptr && !ids.only) {
        const auto from = std::ranges::lower_bound(*candidates, ids.lowest),
                   to = std::ranges::upper_bound(*candidates, ids.highest);
        const auto look = [&](Id id) {
            const auto found = rows.find(id);
            return found == rows.end() || visit(found->second);
        };
        if (newest_first)
            static_cast<void>(std::all_of(std::reverse_iterator(to), std::reverse_iterator(from), look));
        else
            static_cast<void>(std::all_of(from, to, look));
        return;
    }
    if (ids.only) {
        const auto look = [&](Id id) {
            const auto found = rows.find(id);
            return found == rows.end() || visit(found->second);
        };
        if (newest_first)
            static_cast<void>(std::ranges::all_of(*ids.only | std::views::reverse, look));
        else
            static_cast<void>(std::ranges::all_of(*ids.only, look));
        return;
    }
    auto from = rows.lower_bound(ids.lowest), to = rows.upper_bound(ids.highest);
    if (newest_first) {
        while (to != from)
            if (!visit((--to)->second)) return;
    } else {
        for (; from != to; ++from)
            if (!visit(from->second)) return;
    }
}

bool in_archived_project(const RowView& row, const EntityStore& store);

/// Calls `visit` for every live row that matches, in id order.
void each_match(const EntityDef& def, const Filter& filter, bool archived_too, const Scope& scope,
                const std::function<void(const RowView&)>& visit);

/// Null sorts first; what cannot be compared counts as equal.
int compare(const Json& a, const Json& b);

/// A value as `read` shows it: links with their names.
Json shown(const FieldDef& field, const Json& value, const EntityStore& store);
/// The value at a path as `read` shows it; false where the key is absent from the answer.
bool shown_at(const std::string& path, const EntityDef& def, const RowView& row, const EntityStore& store,
              Json& out);

/// A link as summaries, followers and threads show it: name, status, and whether it is live.
/// Null where there never was such a row.
nlohmann::ordered_json full_link(const LinkKey& key, const EntityStore& store);

}  // namespace sg::sandbox
