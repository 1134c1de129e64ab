#pragma once
// The calls of `sg::Site`, from the names and arguments a plugin sends to the site client.

#include <string>
#include <string_view>
#include <vector>

#include "site/client.hpp"

namespace sg::site {

/// Makes one call; its result. `arguments` is an object, as below.
Result<nlohmann::json> call_by_name(Client& client, std::string_view method, const nlohmann::json& arguments,
                                    const CallOptions& options);

/// Makes one call; the JSON text of its result. `arguments` is JSON text from a plugin and trusted in
/// nothing; its member `sudo_as_login`, which every call takes, is the person to act as. Errors:
/// `not_supported`, naming the method or argument that is not known; `invalid` for arguments of the wrong
/// kind; what the client says. Blocks as the client does.
Result<std::string> call_site(Client& client, std::string_view method, std::string_view arguments,
                              const CallOptions& options);

/// The names of all calls there are.
std::vector<std::string_view> site_method_names();

}  // namespace sg::site
