#pragma once
// The calls of `sg::Site` that move a file.

#include <nlohmann/json.hpp>
#include <string_view>

#include "site/arguments.hpp"
#include "site/client.hpp"

namespace sg::site {

/// Whether a call is one that may take hours.
bool moves_file(std::string_view method);

// As the other calls: arguments that are not understood send nothing. Paths are absolute, since a host's
// working directory is not the daemon's.

Result<nlohmann::json> upload_file(Client& client, Arguments& arguments, const CallOptions& options);
Result<nlohmann::json> share_thumbnail(Client& client, Arguments& arguments, const CallOptions& options);
Result<nlohmann::json> download_file(Client& client, Arguments& arguments, const CallOptions& options);

}  // namespace sg::site
