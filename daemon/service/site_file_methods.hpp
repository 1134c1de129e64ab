#pragma once
// The calls of `sg::Site` that move a file.

#include <nlohmann/json.hpp>
#include <string_view>

#include "service/site_arguments.hpp"
#include "site/client.hpp"

namespace sg::service {

/// Whether a call is one that may take hours.
bool moves_file(std::string_view method);

// As the other calls: arguments that are not understood send nothing. Paths are absolute, since a host's
// working directory is not the daemon's.

Result<nlohmann::json> upload_file(site::Client& client, Arguments& arguments,
                                   const site::CallOptions& options);
Result<nlohmann::json> share_thumbnail(site::Client& client, Arguments& arguments,
                                       const site::CallOptions& options);
Result<nlohmann::json> download_file(site::Client& client, Arguments& arguments,
                                     const site::CallOptions& options);

}  // namespace sg::service
