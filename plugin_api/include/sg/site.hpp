#pragma once
// The site, as a callback reaches it.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <sg/error.hpp>
#include <sg/types.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg {

/// What `find` may be told beyond filters and fields.
struct FindOptions {
    /// `{{"field_name", "id"}, {"direction", "desc"}}` objects, the first one first.
    nlohmann::json order = nlohmann::json::array();
    std::int64_t limit = 0;  ///< at most so many rows; 0 is all
    std::int64_t page = 0;   ///< one page only, counted from 1; 0 is all pages
    bool retired_only = false;
    bool include_archived_projects = true;
};

/// Calls of the site's API, made by the daemon on the plugin's behalf with the plugin's credential.
///
/// Rows are JSON objects with `type`, `id` and the fields asked for, as the site sent them.
/// Filters are the conditions the official Python client takes:
///
///     site.find("Task", {{"entity", "is", shot}, {"sg_status_list", "is_not", "fin"}}, {"content"});
///
/// One condition may stand without its outer list, `{"id", "is", 862}`: compilers disagree about what
/// `{{…}}` means. No filters, `{}`, means every entity of the type.
///
/// Each call carries the session id of the event in hand, if the configuration says so, so that
/// the browser that caused the event shows the change.
///
/// Threads: every member may be called from any thread of the callback.
/// Blocks:  until the site has answered, at most the configured limits long.
/// Errors:  throws `Error`: the site's faults with their text and code, `stopped` when the daemon
///          ends or the callback is stopped. Reads are retried while that makes sense; a call that
///          may have changed something is sent once, so after `network` or `timed_out` nobody knows
///          whether it was done: read before writing where twice would be wrong.
class Site {
public:
    /// All rows of `type` that satisfy every one of `filters`: an array, possibly empty.
    nlohmann::json find(std::string_view type, const nlohmann::json& filters,
                        const std::vector<std::string>& fields = {}, const FindOptions& options = {}) {
        return call("find", {{"type", type},
                             {"filters", as_list(filters)},
                             {"fields", fields},
                             {"order", options.order},
                             {"limit", options.limit},
                             {"page", options.page},
                             {"retired_only", options.retired_only},
                             {"include_archived_projects", options.include_archived_projects}});
    }

    /// The first such row, or null.
    nlohmann::json find_one(std::string_view type, const nlohmann::json& filters,
                            const std::vector<std::string>& fields = {}, FindOptions options = {}) {
        options.limit = 1;
        auto rows = find(type, filters, fields, options);
        return rows.empty() ? nlohmann::json() : std::move(rows.front());
    }

    /// Makes an entity of `data` (field to value); the new row with those fields and `fields`.
    nlohmann::json create(std::string_view type, const nlohmann::json& data,
                          const std::vector<std::string>& fields = {}) {
        return call("create", {{"type", type}, {"data", data}, {"fields", fields}});
    }

    /// Changes the fields in `data`; the row with those fields as they are now.
    nlohmann::json update(std::string_view type, EntityId id, const nlohmann::json& data) {
        return call("update", {{"type", type}, {"id", id}, {"data", data}});
    }
    nlohmann::json update(const EntityRef& entity, const nlohmann::json& data) {
        return update(entity.type, entity.id, data);
    }

    /// Retires an entity (the site's `delete`); false if it was retired already.
    bool remove(std::string_view type, EntityId id) {
        const auto done = call("delete", {{"type", type}, {"id", id}});
        return done.is_boolean() && done.get<bool>();
    }

    /// Any call by the name and arguments above, for those that have no member here yet.
    /// Throws `Error(not_supported)` if the daemon does not know it.
    virtual nlohmann::json call(std::string_view method, const nlohmann::json& arguments) = 0;

protected:
    ~Site() = default;  // a plugin never owns one

private:
    static nlohmann::json as_list(const nlohmann::json& filters) {
        auto list = nlohmann::json::array();
        if (filters.is_null()) return list;
        if (!filters.is_array() || filters.empty() || !filters.front().is_string()) return filters;
        list.push_back(filters);
        return list;
    }
};

}  // namespace sg
