// The table of keys: name, where it goes, what it means, and its bounds.

#include "config/keys.hpp"

namespace sg::config {
namespace {

constexpr std::int64_t ms = 1, s = 1000, minutes = 60 * s, hours = 60 * minutes, days = 24 * hours;

struct PluginKey {
    std::string name;
    Slot (*slot)(PluginSettings&);
    std::string help;
    Range range = {};
};

const std::vector<PluginKey>& plugin_keys() {
    static const std::vector<PluginKey> table{
        {"enabled", [](PluginSettings& p) -> Slot { return &p.enabled; },
         "whether it runs; one that does not keeps its place in the stream"},
        {"isolation", [](PluginSettings& p) -> Slot { return &p.isolation; },
         "where its code runs: a process of its own, or a thread of the daemon"},
        {"start", [](PluginSettings& p) -> Slot { return &p.start; },
         "where it begins when it is first seen: latest, earliest, or after an event id"},
        {"credential", [](PluginSettings& p) -> Slot { return &p.credential; },
         "whose name its calls of the site carry"},
        {"args", [](PluginSettings& p) -> Slot { return &p.args; },
         "what it is given as args(); a value that is ${NAME} is taken from the environment"},
        {"soft_deadline",
         [](PluginSettings& p) -> Slot { return &p.soft_deadline; },
         "a callback that runs longer is warned about",
         {1 * ms, 30 * days}},
        {"hard_deadline",
         [](PluginSettings& p) -> Slot { return &p.hard_deadline; },
         "a callback that runs longer is ended with its process, and the event is tried again",
         {10 * ms, 30 * days}},
        {"memory_limit",
         [](PluginSettings& p) -> Slot { return &p.memory_limit; },
         "address space its process may use",
         {32'000'000, INT64_MAX}},
        {"cpu_limit",
         [](PluginSettings& p) -> Slot { return &p.cpu_limit; },
         "processor time its process may use before it is replaced",
         {1 * s, INT64_MAX}},
        {"nice",
         [](PluginSettings& p) -> Slot { return &p.nice; },
         "how far it stands back for others when the processor is busy",
         {0, 19}},
        {"log_level", [](PluginSettings& p) -> Slot { return &p.log_level; },
         "the least important of its own lines that is kept"},
        {"alerts_to", [](PluginSettings& p) -> Slot { return &p.alerts_to; },
         "whom alerts about it go to: [all], [none], or addresses; without it, as it registers"},
        {"on_failure", [](PluginSettings& p) -> Slot { return &p.on_failure; },
         "what becomes of an event that a callback failed on: retry, skip, halt, or as it registered"},
        {"attempts",
         [](PluginSettings& p) -> Slot { return &p.attempts; },
         "attempts of retry after which an event is a dead letter; failures of the site are not counted",
         {1, 1'000'000}},
        {"crashes",
         [](PluginSettings& p) -> Slot { return &p.crashes; },
         "attempts of retry that end its process after which an event is a dead letter",
         {1, 1'000'000}},
        {"give_up_after",
         [](PluginSettings& p) -> Slot { return &p.give_up_after; },
         "pauses of retry in sum after which an event is a dead letter, whatever the reason",
         {1 * s, 365 * days}},
        {"retry_first",
         [](PluginSettings& p) -> Slot { return &p.retry_first; },
         "longest pause before an event is tried again; none: as in retries",
         {100 * ms, 1 * days}},
        {"retry_longest",
         [](PluginSettings& p) -> Slot { return &p.retry_longest; },
         "longest pause between two such tries; none: as in retries",
         {100 * ms, 7 * days}},
        {"strict_order", [](PluginSettings& p) -> Slot { return &p.strict_order; },
         "whether it waits for missing events, as long as these are waited for, instead of getting them "
         "late"},
        {"only", [](PluginSettings& p) -> Slot { return &p.only; },
         "what an event must have about it besides what its callbacks ask for; each key that is given holds"},
        {"never", [](PluginSettings& p) -> Slot { return &p.never; },
         "what an event must not have about it; such as own: true, for changes by the plugin's own script"},
    };
    return table;
}

std::vector<Key> site_keys() {
    const auto key = [](std::string name, Slot (*slot)(Site&), std::string help, Range range = {},
                        bool required = false) {
        return Key{"site." + std::move(name), [slot](Config& c, const std::string&) { return slot(c.site); },
                   std::move(help), range, required};
    };
    return {
        key(
            "url", [](Site& x) -> Slot { return &x.url; }, "address of the site, with https://", {}, true),
        key(
            "credential", [](Site& x) -> Slot { return &x.credential; },
            "name of the credential the daemon polls with", {}, true),
        key(
            "default_plugin_credential", [](Site& x) -> Slot { return &x.default_plugin_credential; },
            "name of the credential of plugins that name none; without it they cannot call the site"),
        key("poll_interval", [](Site& x) -> Slot { return &x.poll_interval; },
            "pause between two polls when there is nothing more to read", {50 * ms, 1 * hours}),
        key("idle_poll_interval", [](Site& x) -> Slot { return &x.idle_poll_interval; },
            "what that pause grows to while no event comes; not less than poll_interval",
            {50 * ms, 1 * hours}),
        key("page_size", [](Site& x) -> Slot { return &x.page_size; }, "events asked for at once", {1, 500}),
        key("catch_up_queries", [](Site& x) -> Slot { return &x.catch_up_queries; },
            "pages asked for at once while there is much to catch up with", {1, 16}),
        key(
            "event_fields", [](Site& x) -> Slot { return &x.event_fields; },
            "fields of EventLogEntry that every event has besides the usual ones, such as description"),
        key("gap_timeout", [](Site& x) -> Slot { return &x.gap_timeout; },
            "how long a missing event is waited for", {100 * ms, 7 * days}),
        key("gap_watch", [](Site& x) -> Slot { return &x.gap_watch; },
            "how long it is looked for after that; 0s: not at all", {0, 30 * days}),
        key("gap_watch_interval", [](Site& x) -> Slot { return &x.gap_watch_interval; },
            "pause between two looks for such events", {100 * ms, 1 * days}),
        key(
            "use_session_uuid", [](Site& x) -> Slot { return &x.use_session_uuid; },
            "whether a plugin's writes carry the session of the event it answers"),
        key(
            "proxy", [](Site& x) -> Slot { return &x.proxy; },
            "HTTP proxy, host:port or user:password@host:port"),
        key(
            "ca_file", [](Site& x) -> Slot { return &x.ca_file; },
            "certificates to trust instead of the system's"),
        key("connect_timeout", [](Site& x) -> Slot { return &x.connect_timeout; },
            "limit for finding and reaching the site, TLS included", {10 * ms, 10 * minutes}),
        key("first_byte_timeout", [](Site& x) -> Slot { return &x.first_byte_timeout; },
            "limit for the first byte of an answer", {10 * ms, 1 * hours}),
        key("stall_timeout", [](Site& x) -> Slot { return &x.stall_timeout; },
            "limit for a stretch without progress", {1 * s, 1 * hours}),
        key("request_timeout", [](Site& x) -> Slot { return &x.request_timeout; },
            "limit for a whole request", {100 * ms, 1 * days}),
        key("retry_first", [](Site& x) -> Slot { return &x.retry_first; },
            "longest pause after the first failed request; it doubles from there", {100 * ms, 1 * hours}),
        key("retry_longest", [](Site& x) -> Slot { return &x.retry_longest; },
            "longest pause between failed requests", {100 * ms, 1 * days}),
        key("connections", [](Site& x) -> Slot { return &x.connections; },
            "requests under way at once on plugins' behalf", {1, 64}),
    };
}

std::vector<Key> credential_keys() {
    const auto key = [](const char* name, Slot (*slot)(Credential&), const char* help) {
        return Key{std::string("credentials.*.") + name,
                   [slot](Config& c, const std::string& n) { return slot(c.credentials[n]); }, help};
    };
    return {
        key(
            "script", [](Credential& c) -> Slot { return &c.script; },
            "name of the script (API user) on the site"),
        key(
            "key", [](Credential& c) -> Slot { return &c.key; },
            "its key, or ${NAME} for an environment variable that holds it"),
        key(
            "key_file", [](Credential& c) -> Slot { return &c.key_file; }, "or a file that holds the key"),
        key(
            "user", [](Credential& c) -> Slot { return &c.user; }, "or the login of a person"),
        key(
            "password", [](Credential& c) -> Slot { return &c.password; }, "their password, or ${NAME}"),
        key(
            "password_file", [](Credential& c) -> Slot { return &c.password_file; },
            "or a file that holds the password"),
        key(
            "auth_token", [](Credential& c) -> Slot { return &c.auth_token; },
            "and the code of their second factor, good for one login"),
        key(
            "session_token", [](Credential& c) -> Slot { return &c.session_token; },
            "or the token of a session that is open already, or ${NAME}"),
        key(
            "session_token_file", [](Credential& c) -> Slot { return &c.session_token_file; },
            "or a file that holds the token"),
        key(
            "sudo_as_login", [](Credential& c) -> Slot { return &c.sudo_as_login; },
            "the person in whose name calls are made"),
    };
}

std::vector<Key> daemon_keys() {
    return {
        {"admin.socket", [](Config& c, const std::string&) -> Slot { return &c.admin.socket; },
         "Unix socket that the daemon is looked at and steered through"},
        {"admin.address", [](Config& c, const std::string&) -> Slot { return &c.admin.address; },
         "address of the status page and metrics, such as 127.0.0.1:9464"},
        {"admin.token", [](Config& c, const std::string&) -> Slot { return &c.admin.token; },
         "who knows it may try dead letters again on the status page; or ${NAME}"},
        {"admin.token_file", [](Config& c, const std::string&) -> Slot { return &c.admin.token_file; },
         "or a file that holds the token"},
        {"webhook.address", [](Config& c, const std::string&) -> Slot { return &c.webhook.address; },
         "where the site's webhook may tell of new events, such as 127.0.0.1:9465"},
        {"webhook.token", [](Config& c, const std::string&) -> Slot { return &c.webhook.token; },
         "what its deliveries are signed with, or ${NAME}"},
        {"webhook.token_file", [](Config& c, const std::string&) -> Slot { return &c.webhook.token_file; },
         "or a file that holds the token"},
        {"reload.interval",
         [](Config& c, const std::string&) -> Slot { return &c.reload.interval; },
         "pause between two looks at the collections",
         {100 * ms, 1 * hours}},
        {"reload.settle",
         [](Config& c, const std::string&) -> Slot { return &c.reload.settle; },
         "how long a changed plugin file must stay the same before it is loaded",
         {50 * ms, 600'000 * ms}},
        {"retries.first",
         [](Config& c, const std::string&) -> Slot { return &c.retries.first; },
         "longest pause before an event is tried again that a callback failed on; it doubles from there",
         {100 * ms, 1 * days}},
        {"retries.longest",
         [](Config& c, const std::string&) -> Slot { return &c.retries.longest; },
         "longest pause between two such tries",
         {100 * ms, 7 * days}},
        {"dead_letters.per_plugin",
         [](Config& c, const std::string&) -> Slot { return &c.dead_letters.per_plugin; },
         "dead letters that a plugin may have",
         {1, 1'000'000}},
        {"dead_letters.size",
         [](Config& c, const std::string&) -> Slot { return &c.dead_letters.size; },
         "what all dead letters may take, on disk and in memory",
         {1'000'000, 1'000'000'000}},
        {"dead_letters.when_full",
         [](Config& c, const std::string&) -> Slot { return &c.dead_letters.when_full; },
         "what happens then: hold tries on without end, drop_oldest makes room"},
        {"retriever.cache_dir", [](Config& c, const std::string&) -> Slot { return &c.retriever.cache_dir; },
         "where files of the site are kept; empty: files, in cache_dir"},
        {"retriever.cache_size",
         [](Config& c, const std::string&) -> Slot { return &c.retriever.cache_size; },
         "what they may take; the least recently used go first",
         {16'000'000, 100'000'000'000'000}},
        {"retriever.cache_age",
         [](Config& c, const std::string&) -> Slot { return &c.retriever.cache_age; },
         "how long a file is kept that nobody uses",
         {1 * days, 3650 * days}},
        {"retriever.workers",
         [](Config& c, const std::string&) -> Slot { return &c.retriever.workers; },
         "requests of plugins' data retrievers under way at once; plugins take turns",
         {1, 64}},
        {"pid_file", [](Config& c, const std::string&) -> Slot { return &c.pid_file; },
         "a file that holds the daemon's process number; whoever removes it stops the daemon"},
        {"state_dir", [](Config& c, const std::string&) -> Slot { return &c.state_dir; },
         "where progress is kept; on a local disk"},
        {"cache_dir", [](Config& c, const std::string&) -> Slot { return &c.cache_dir; },
         "what may be lost: copies of plugins, downloads"},
        {"log.level", [](Config& c, const std::string&) -> Slot { return &c.log.level; },
         "the least important of the daemon's lines that is kept"},
        {"log.file", [](Config& c, const std::string&) -> Slot { return &c.log.file; },
         "a file that gets every line too, beside standard error"},
        {"log.format", [](Config& c, const std::string&) -> Slot { return &c.log.format; },
         "what lines on standard error look like: text, or json, an object each"},
        {"log.per_plugin", [](Config& c, const std::string&) -> Slot { return &c.log.per_plugin; },
         "whether a plugin's lines go to a file plugin.NAME beside the log file, and not to it"},
        {"log.rotate", [](Config& c, const std::string&) -> Slot { return &c.log.rotate; },
         "whether log files are put aside at midnight, with the day behind their name"},
        {"log.keep",
         [](Config& c, const std::string&) -> Slot { return &c.log.keep; },
         "files that were put aside and are kept, of each log",
         {1, 10'000}},
        {"log.compress", [](Config& c, const std::string&) -> Slot { return &c.log.compress; },
         "whether those are compressed"},
        {"log.timing", [](Config& c, const std::string&) -> Slot { return &c.log.timing; },
         "whether each call is written down: none, lines as of the old daemon, or records in JSON"},
        {"alerts.level", [](Config& c, const std::string&) -> Slot { return &c.alerts.level; },
         "the least important of all lines that people are told of"},
        {"alerts.gather",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.gather; },
         "what comes within so long is told in one message",
         {0, 1 * hours}},
        {"alerts.pause",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.pause; },
         "pause between two messages to the same people",
         {0, 1 * days}},
        {"alerts.attempts",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.attempts; },
         "attempts to send a message before it is given up",
         {1, 100}},
        {"alerts.timeout",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.timeout; },
         "limit of one attempt",
         {100 * ms, 1 * hours}},
        {"alerts.quiet_after",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.quiet_after; },
         "people are told when no event has come for so long",
         {1 * s, 30 * days}},
        {"alerts.mail.server", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.server; },
         "mail server; without it there is no mail"},
        {"alerts.mail.port",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.port; },
         "its port",
         {1, 65535}},
        {"alerts.mail.tls", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.tls; },
         "starttls, implicit (from the first byte, often port 465), or none"},
        {"alerts.mail.ca_file", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.ca_file; },
         "certificates to trust instead of the system's"},
        {"alerts.mail.user", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.user; },
         "login, if the server wants one"},
        {"alerts.mail.password",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.password; },
         "its password, or ${NAME} for an environment variable that holds it"},
        {"alerts.mail.password_file",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.password_file; },
         "or a file that holds the password"},
        {"alerts.mail.allow_plain_login",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.allow_plain_login; },
         "whether to log in without TLS, for everybody on the way to read"},
        {"alerts.mail.from", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.from; },
         "sender of the mails"},
        {"alerts.mail.to", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.to; },
         "everybody that alerts go to"},
        {"alerts.mail.subject", [](Config& c, const std::string&) -> Slot { return &c.alerts.mail.subject; },
         "what every subject begins with"},
        {"alerts.hook.url", [](Config& c, const std::string&) -> Slot { return &c.alerts.hook.url; },
         "address that alerts are posted to as JSON, or ${NAME}"},
        {"alerts.hook.url_file",
         [](Config& c, const std::string&) -> Slot { return &c.alerts.hook.url_file; },
         "or a file that holds the address"},
        {"alerts.hook.ca_file", [](Config& c, const std::string&) -> Slot { return &c.alerts.hook.ca_file; },
         "certificates to trust instead of the system's"},
        {"alerts.command", [](Config& c, const std::string&) -> Slot { return &c.alerts.command; },
         "program and arguments that get alerts as JSON on standard input"},
        {"drain_time",
         [](Config& c, const std::string&) -> Slot { return &c.drain_time; },
         "how long running callbacks may go on when the daemon is asked to stop",
         {0, 1 * hours}},
        {"strict_start", [](Config& c, const std::string&) -> Slot { return &c.strict_start; },
         "whether the daemon gives up when the site cannot be reached at start"},
        {"strict_start_time",
         [](Config& c, const std::string&) -> Slot { return &c.strict_start_time; },
         "how long it tries before it gives up",
         {100 * ms, 1 * hours}},
    };
}

std::vector<Key> make_table() {
    std::vector<Key> table = site_keys();
    const auto add = [&](std::vector<Key> more) {
        table.insert(table.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    add(credential_keys());
    table.push_back({"collections",
                     [](Config& c, const std::string&) -> Slot { return &c.collections; },
                     "directories with plugins, the most important first",
                     {},
                     true});
    table.push_back({"ordered_collections",
                     [](Config& c, const std::string&) -> Slot { return &c.ordered_collections; },
                     "those of them whose plugins get each event one after another"});
    table.push_back({"allow_world_writable_plugins",
                     [](Config& c, const std::string&) -> Slot { return &c.allow_world_writable_plugins; },
                     "whether plugins are loaded that everyone on the machine may change"});
    for (const auto& key : plugin_keys())
        table.push_back({"plugin_defaults." + key.name,
                         [slot = key.slot](Config& c, const std::string&) { return slot(c.plugin_defaults); },
                         key.help, key.range});
    for (const auto& key : plugin_keys())
        table.push_back({"plugins.*." + key.name,
                         [slot = key.slot](Config& c, const std::string& name) {
                             return slot(c.plugins.try_emplace(name, c.plugin_defaults).first->second);
                         },
                         key.help, key.range});
    add(daemon_keys());
    return table;
}

}  // namespace

const std::vector<Key>& keys() {
    static const std::vector<Key> table = make_table();
    return table;
}

std::vector<std::string> chosen_names(const Config& config, std::string_view pattern) {
    std::vector<std::string> names;
    if (pattern.starts_with("credentials."))
        for (const auto& [name, unused] : config.credentials) names.push_back(name);
    if (pattern.starts_with("plugins."))
        for (const auto& [name, unused] : config.plugins) names.push_back(name);
    return names;
}

std::vector<std::string> Config::secrets() const {
    std::vector<std::string> all;
    const auto add = [&](const std::string& secret) {
        if (!secret.empty()) all.push_back(secret);
    };
    for (const auto& [name, credential] : credentials)
        for (const auto* secret :
             {&credential.key, &credential.password, &credential.auth_token, &credential.session_token})
            add(secret->value);
    add(alerts.mail.password.value);
    add(alerts.hook.url.value);
    add(webhook.token.value);
    add(admin.token.value);
    const auto& proxy = site.proxy.value;
    if (const auto at = proxy.rfind('@'); at != std::string::npos) {
        const auto colon =
            proxy.find(':', proxy.find("://") == std::string::npos ? 0 : proxy.find("://") + 3);
        if (colon < at) add(proxy.substr(colon + 1, at - colon - 1));
    }
    for (const auto& secret : plugin_defaults.args.secrets) add(secret);
    for (const auto& [name, plugin] : plugins)
        for (const auto& secret : plugin.args.secrets) add(secret);
    return all;
}

}  // namespace sg::config
