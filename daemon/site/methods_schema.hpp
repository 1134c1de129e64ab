#pragma once
// What types and fields the site has, and changing that.
//
// Threads, blocking and errors of every function here are the client's. `project` is a link or null; with
// one, what the project shows counts, and the site has to be 5.4.4 or newer.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "site/client.hpp"

namespace sg::site {

/// Every field of every type: megabytes on a real site.
Result<nlohmann::json> schema_read(Client& client, const nlohmann::json& project, const CallOptions& options);

/// The types.
Result<nlohmann::json> schema_entity_read(Client& client, const nlohmann::json& project,
                                          const CallOptions& options);

/// The fields of a type, or the one that is named; in both cases by name.
Result<nlohmann::json> schema_field_read(Client& client, std::string_view type, std::string_view field,
                                         const nlohmann::json& project, const CallOptions& options);

/// Makes a field; its name in the API, `sg_…`. `properties` is an object; links need `valid_types`, lists
/// `valid_values`.
Result<std::string> schema_field_create(Client& client, std::string_view type, std::string_view data_type,
                                        std::string_view display_name, const nlohmann::json& properties,
                                        const CallOptions& options);

/// Changes properties of a field. `visible` only with a project, which in turn is for nothing else.
Result<bool> schema_field_update(Client& client, std::string_view type, std::string_view field,
                                 const nlohmann::json& properties, const nlohmann::json& project,
                                 const CallOptions& options);

/// Retires a field; its name stays taken.
Result<bool> schema_field_delete(Client& client, std::string_view type, std::string_view field,
                                 const CallOptions& options);

}  // namespace sg::site
