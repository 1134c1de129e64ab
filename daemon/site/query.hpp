#pragma once
// What can be asked of the site for rows.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sg::site {

/// Which rows of which type, and what of them.
struct Query {
    std::string type;

    /// Conditions as the official Python client takes them, `[["code", "is", "sh010"], …]` with groups
    /// `{"filter_operator": "any", "filters": […]}`; or, as an object, the site's own form unchanged.
    nlohmann::json filters = nlohmann::json::array();
    std::string filter_operator;  ///< `all` (the default) or `any`; goes with the list form only

    std::vector<std::string> fields;  ///< empty: only the id; type and id always come

    /// `{"field_name": "id", "direction": "asc"}` objects, the first one first.
    nlohmann::json order = nlohmann::json::array();

    bool retired_only = false;
    bool include_archived_projects = true;
    nlohmann::json additional_filter_presets = nullptr;
};

/// One page of a query, by one request.
struct ReadRequest {
    Query query;
    std::int64_t page_size = 500;
    std::int64_t page = 1;     ///< counted from 1
    bool paging_info = false;  ///< ask whether there is a next page
};

/// The rows of a query, by as many requests as that takes.
struct FindRequest {
    Query query;
    std::int64_t limit = 0;  ///< at most so many rows; 0 is all
    std::int64_t page = 0;   ///< this page only, counted from 1; 0 is all
};

}  // namespace sg::site
