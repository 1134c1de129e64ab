#pragma once
// Rows beyond `Client`'s own members: several writes as one, sums, text, what was retired.
//
// Threads, blocking and errors of every function here are the client's. What a site may be too old for is
// refused with `not_supported` before it is sent; the first such call asks for the site's version.

#include <nlohmann/json.hpp>
#include <string_view>

#include "site/client.hpp"

namespace sg::site {

/// Brings a retired entity back; false if it was not retired.
Result<bool> revive(Client& client, std::string_view type, EntityId id, const CallOptions& options);

/// Several writes, all or none. `requests` is a list of objects with `request_type` (`create`, `update`,
/// `delete`), `entity_type`, for the last two `entity_id`, for the first two `data`, and optionally
/// `return_fields` or `multi_entity_update_modes`. One result for each, in their order: the row, or for a
/// `delete` whether it did anything. An empty list is not sent.
Result<nlohmann::json> batch(Client& client, const nlohmann::json& requests, const CallOptions& options);

/// Sums and counts over the rows that satisfy `filters`.
struct SummarizeRequest {
    std::string type;
    nlohmann::json filters = nlohmann::json::array();  ///< as in `Query`
    std::string filter_operator;
    nlohmann::json summaries;  ///< `{"field": "id", "type": "count"}` objects
    nlohmann::json
        grouping;  ///< `{"field": "step", "type": "exact", "direction": "asc"}` objects; null: none
    bool include_archived_projects = true;
};

/// `{"summaries": {field: value}, "groups": […]}`. Two summaries of one field would collide there: they are
/// `invalid`.
Result<nlohmann::json> summarize(Client& client, const SummarizeRequest& request, const CallOptions& options);

/// Entities whose display name, or that of what they belong to, holds every word of `text`.
/// `entity_types` maps each type to its filters (as in `Query`); `max_results` null: the site's limit.
/// `{"matches": […], "terms": […]}`.
Result<nlohmann::json> text_search(Client& client, std::string_view text, const nlohmann::json& entity_types,
                                   const nlohmann::json& project_ids, const nlohmann::json& max_results,
                                   const CallOptions& options);

}  // namespace sg::site
