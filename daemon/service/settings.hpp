#pragma once
// From the configuration to what each part takes.

#include "admin/server.hpp"
#include "config/changes.hpp"
#include "dispatch/settings.hpp"
#include "plugins/plugin_set.hpp"
#include "service/data_requests.hpp"
#include "service/site_requests.hpp"
#include "site/client.hpp"
#include "stream/stream.hpp"

namespace sg::service {

/// Says what has changed in the configuration, and what of it waits for the next start.
void log_changes(const std::vector<config::Change>& changes, Logger& log);

site::Settings site_settings(const config::Config& config);
/// A credential that `check_credential` found no fault with.
site::Caller caller_of(const config::Credential& credential);
site::Caller daemon_caller(const config::Config& config);
Credentials plugin_credentials(const config::Config& config);
SiteRequestPool::Options request_options(const config::Config& config);
stream::Settings stream_settings(const config::Config& config);
dispatch::Settings dispatch_settings(const config::Config& config);
plugins::WorldWritable world_writable(const config::Config& config);
plugins::PluginSetOptions plugin_options(const config::Config& config);
admin::Server::Options admin_options(const config::Config& config);

/// `root` is the directory of files; those of a site have one of their own in it.
DataRequestPool::Options data_options(const config::Config& config, const std::filesystem::path& root);
PluginAccess plugin_access(const config::Config& config, site::Client& client, Logger& log);

}  // namespace sg::service
