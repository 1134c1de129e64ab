// What the operator decided, in the words of each part.

#include "service/settings.hpp"

#include <algorithm>

#include "site/endpoint.hpp"

namespace sg::service {

void log_changes(const std::vector<config::Change>& changes, Logger& log) {
    std::string taken, waiting;
    for (const auto& change : changes) {
        auto& list = change.at_once ? taken : waiting;
        list += (list.empty() ? "" : "; ") + change.key;
        if (!change.text.empty()) list += " (" + change.text + ")";
    }
    log.info("[CONFIG-RELOADED] The configuration has been read anew. changed=[{}]", taken);
    if (!waiting.empty())
        log.warning(
            "[CONFIG-RESTART] These changes of the configuration count from the next start on. keys=[{}]",
            waiting);
}
namespace {

constexpr std::chrono::milliseconds retry_floor{100};  // below the least that can be configured

plugins::PluginSettings one_plugin(const config::PluginSettings& from) {
    plugins::PluginSettings to;
    to.enabled = from.enabled;
    to.args = nlohmann::json::parse(from.args.json);
    to.isolation = from.isolation == config::Isolation::process ? plugins::Isolation::process
                                                                : plugins::Isolation::thread;
    to.credential = from.credential;
    to.soft_deadline = from.soft_deadline;
    to.hard_deadline = from.hard_deadline;
    if (from.memory_limit) to.memory_bytes = from.memory_limit->count;
    if (from.cpu_limit) to.cpu_time = std::chrono::ceil<std::chrono::seconds>(*from.cpu_limit);
    to.nice = from.nice;
    to.log_level = from.log_level;
    to.only = from.only;
    to.never = from.never;
    return to;
}

dispatch::StartRule start_rule(const config::Start& start) {
    switch (start.from) {
        case config::Start::From::latest:
            return {dispatch::StartRule::Kind::latest, 0};
        case config::Start::From::earliest:
            return {dispatch::StartRule::Kind::earliest, 0};
        case config::Start::From::after:
            break;
    }
    return {dispatch::StartRule::Kind::after_id, start.id};
}

dispatch::FailureRule failure_rule(const config::PluginSettings& from, const config::Retries& common) {
    dispatch::FailureRule to;
    switch (from.on_failure) {
        case config::OnFailure::registered:
            break;
        case config::OnFailure::retry:
            to.policy = OnFailure::retry;
            break;
        case config::OnFailure::skip:
            to.policy = OnFailure::skip;
            break;
        case config::OnFailure::halt:
            to.policy = OnFailure::halt;
            break;
    }
    to.attempts = static_cast<std::uint32_t>(from.attempts);
    to.crashes = static_cast<std::uint32_t>(from.crashes);
    to.give_up_after = from.give_up_after;
    to.pauses = {retry_floor, from.retry_first.value_or(common.first),
                 from.retry_longest.value_or(common.longest)};
    return to;
}

}  // namespace

site::Settings site_settings(const config::Config& config) {
    const auto& from = config.site;
    site::Settings to;
    to.base_url = from.url;
    to.proxy = from.proxy.value;
    to.ca_file = from.ca_file.string();
    to.limits.connect = from.connect_timeout;
    to.limits.first_byte = from.first_byte_timeout;
    to.limits.slow_window = from.stall_timeout;
    to.limits.total = from.request_timeout;
    to.backoff = {retry_floor, from.retry_first, from.retry_longest};
    return to;
}

site::Caller caller_of(const config::Credential& credential) {
    site::Caller to{{}, credential.sudo_as_login};
    if (!credential.user.empty())
        to.credential = site::User{credential.user, credential.password.value, credential.auth_token.value};
    else if (!credential.session_token.value.empty())
        to.credential = site::Session{credential.session_token.value};
    else
        to.credential = site::Script{credential.script, credential.key.value};
    return to;
}

site::Caller daemon_caller(const config::Config& config) {
    return caller_of(config.credentials.at(config.site.credential));
}

Credentials plugin_credentials(const config::Config& config) {
    Credentials to;
    for (const auto& [name, credential] : config.credentials) to.named[name] = caller_of(credential);
    for (const auto& [name, plugin] : config.plugins)
        if (!plugin.credential.empty()) to.plugins[name] = plugin.credential;
    const auto& common = config.plugin_defaults.credential;
    if (!common.empty())
        to.for_plugins = common;
    else if (!config.site.default_plugin_credential.empty())
        to.for_plugins = config.site.default_plugin_credential;
    return to;
}

SiteRequestPool::Options request_options(const config::Config& config) {
    SiteRequestPool::Options to;
    to.threads = static_cast<std::size_t>(config.site.connections);
    to.pass_session_uuid = config.site.use_session_uuid;
    return to;
}

stream::Settings stream_settings(const config::Config& config) {
    const auto& from = config.site;
    stream::Settings to;
    to.page_size = from.page_size;
    to.catch_up_queries = static_cast<std::size_t>(from.catch_up_queries);
    to.workers = std::max<std::size_t>(2, to.catch_up_queries);
    to.fields = from.event_fields;
    to.interval = from.poll_interval;
    to.idle_interval = from.idle_poll_interval;
    to.gap_timeout = from.gap_timeout;
    to.gap_watch = from.gap_watch;
    to.watch_interval = from.gap_watch_interval;
    to.backoff = {retry_floor, from.retry_first, from.retry_longest};
    if (config.strict_start) to.give_up_after = config.strict_start_time;
    return to;
}

dispatch::Settings dispatch_settings(const config::Config& config) {
    dispatch::Settings to;
    to.start = start_rule(config.plugin_defaults.start);
    for (const auto& [name, plugin] : config.plugins) to.starts[name] = start_rule(plugin.start);
    to.retry = {retry_floor, config.retries.first, config.retries.longest};
    to.failure = failure_rule(config.plugin_defaults, config.retries);
    for (const auto& [name, plugin] : config.plugins)
        to.failures[name] = failure_rule(plugin, config.retries);
    to.strict_order = config.plugin_defaults.strict_order;
    for (const auto& [name, plugin] : config.plugins) to.strict_orders[name] = plugin.strict_order;
    // In the order of collections, whatever order they are named in here.
    for (const auto& directory : config.collections)
        if (std::find(config.ordered_collections.begin(), config.ordered_collections.end(), directory) !=
            config.ordered_collections.end())
            to.ordered_collections.push_back((directory / "").parent_path().string());
    to.dead_letters.per_plugin = static_cast<std::size_t>(config.dead_letters.per_plugin);
    to.dead_letters.bytes = config.dead_letters.size.count;
    to.dead_letters.when_full = config.dead_letters.when_full == config::WhenFull::hold
                                    ? dispatch::WhenFull::hold
                                    : dispatch::WhenFull::drop_oldest;
    return to;
}

plugins::WorldWritable world_writable(const config::Config& config) {
    return config.allow_world_writable_plugins ? plugins::WorldWritable::allowed
                                               : plugins::WorldWritable::refused;
}

plugins::PluginSetOptions plugin_options(const config::Config& config) {
    plugins::PluginSetOptions to;
    to.collections = config.collections;
    to.world_writable = world_writable(config);
    to.defaults = one_plugin(config.plugin_defaults);
    for (const auto& [name, plugin] : config.plugins) to.plugins[name] = one_plugin(plugin);
    to.cache_directory = config.cache_dir;
    to.lock_file = config.state_dir / "hosts.lock";
    to.run_records = config.state_dir / "running";
    to.site = config.site.url;
    for (const auto& [name, credential] : config.credentials)
        to.scripts[name] = credential.sudo_as_login.empty() ? credential.script : std::string();
    if (const auto common = plugin_credentials(config).for_plugins) to.scripts[{}] = to.scripts[*common];
    to.look_interval = config.reload.interval;
    to.settle_time = config.reload.settle;
    return to;
}

DataRequestPool::Options data_options(const config::Config& config, const std::filesystem::path& root) {
    auto site = site::origin_of(config.site.url);
    if (const auto host = site.find("://"); host != std::string::npos) site.erase(0, host + 3);
    std::replace(site.begin(), site.end(), ':', '_');
    DataRequestPool::Options to;
    to.cache.root = root / site;
    to.cache.max_bytes = config.retriever.cache_size.count;
    to.cache.max_age = std::chrono::ceil<std::chrono::hours>(config.retriever.cache_age);
    // The user's own, whom hosts run as, and for the group to read.
    to.cache.file_mode = 0640;
    to.cache.dir_mode = 0750;
    to.workers = static_cast<unsigned>(config.retriever.workers);
    return to;
}

PluginAccess plugin_access(const config::Config& config, site::Client& client, Logger& log) {
    return {client, plugin_credentials(config), config.site.url, config.site.use_session_uuid, nullptr, log};
}

admin::Server::Options admin_options(const config::Config& config) {
    admin::Server::Options to;
    to.socket = config.admin_socket();
    to.address = config.admin.address;
    return to;
}

}  // namespace sg::service
