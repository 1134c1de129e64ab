#pragma once
// What the site's pages show: trees to walk through, streams of activity, threads of notes, tables.
//
// Threads, blocking and errors of every function here are the client's. What a site may be too old for is
// refused with `not_supported` before it is sent; the first such call asks for the site's version.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "site/client.hpp"

namespace sg::site {

/// One level of the tree below `path` (`/Project/70`). `seed_entity_field` (`PublishedFile.entity`) and
/// `entity_fields` may be null. The vendor calls this and the searches experimental: answers may change.
Result<nlohmann::json> nav_expand(Client& client, std::string_view path,
                                  const nlohmann::json& seed_entity_field,
                                  const nlohmann::json& entity_fields, const CallOptions& options);

/// The places in the tree below `root_path` whose label holds a text, or that show an entity.
Result<nlohmann::json> nav_search_string(Client& client, std::string_view root_path, std::string_view text,
                                         const nlohmann::json& seed_entity_field, const CallOptions& options);
Result<nlohmann::json> nav_search_entity(Client& client, std::string_view root_path,
                                         const nlohmann::json& entity,
                                         const nlohmann::json& seed_entity_field, const CallOptions& options);

/// Which updates: newest first, between two ids of updates (not of events) without those.
struct ActivityRequest {
    std::string type;
    EntityId id = 0;
    nlohmann::json min_id, max_id, limit;  ///< integers or null
    nlohmann::json entity_fields;          ///< type to a list of fields; null: none
};
Result<nlohmann::json> activity_stream_read(Client& client, const ActivityRequest& request,
                                            const CallOptions& options);

/// A Note, its Replies and Attachments, oldest first. `entity_fields` maps type to a list of fields.
Result<nlohmann::json> note_thread_read(Client& client, EntityId note, const nlohmann::json& entity_fields,
                                        const CallOptions& options);

/// A page of the site as text in `format` (`csv`), bytes as they come. `layout_name` may be null.
Result<std::string> export_page(Client& client, EntityId page, std::string_view format,
                                const nlohmann::json& layout_name, const CallOptions& options);

/// Preferences of the site by their names; no names: all. Unknown names are left out.
Result<nlohmann::json> preferences_read(Client& client, const nlohmann::json& names,
                                        const CallOptions& options);

}  // namespace sg::site
