#pragma once
// The site as the data retriever asks it for a plugin.

#include <memory>

#include "host/requests/requests.hpp"
#include "retriever/site_connection.hpp"
#include "service/site_requests.hpp"

namespace sg::service {

/// What all of them have in common.
///
/// Lifetime: shared by connections; what it points at outlives them.
struct PluginAccess {
    site::Client& client;
    Credentials credentials;
    std::string site_url;
    bool pass_session_uuid = true;
    host::SiteRequests* writes = nullptr;  ///< where what changes something goes instead; null: to the site
    Logger& log;
};

/// Stands in the `kwargs` of calls: in whose name the one call is made, which takes it out.
inline constexpr const char* call_origin_key = "@origin";
nlohmann::json call_origin(const host::DataRequest& request);

/// Asks with the credential that stands for `who`, anew at each call: logins expire.
std::unique_ptr<retriever::SiteConnection> make_plugin_connection(std::shared_ptr<const PluginAccess> access,
                                                                  std::string plugin, Credential who);

}  // namespace sg::service
