#pragma once
// What an operator can decide, as plain structs. `load.hpp` fills them, `keys.cpp` describes them.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <sg/event_traits.hpp>
#include <sg/logger.hpp>
#include <sg/types.hpp>
#include <string>
#include <vector>

namespace sg::config {

/// A value that is never printed. `shown` is what may be: `${NAME}` or `***`; empty: nothing to show.
struct Secret {
    std::string value;
    std::string shown;
};

/// Who calls the site: a script with its key, a person with a password, or a session; one of them. A
/// secret is also where the content of its file ends up; no file: it stands in the configuration itself.
struct Credential {
    std::string script;
    Secret key;
    std::filesystem::path key_file;
    std::string user{};
    Secret password{};
    std::filesystem::path password_file{};
    Secret auth_token{};  ///< the code of a second factor; empty: none
    Secret session_token{};
    std::filesystem::path session_token_file{};
    std::string sudo_as_login{};  ///< in whose name; empty: the caller's own
};

/// Where a plugin's code runs.
enum class Isolation : std::uint8_t { process, thread };

/// Where a plugin that was never seen before begins.
struct Start {
    enum class From : std::uint8_t { latest, earliest, after } from = From::latest;
    EventId id = 0;  ///< with `after`: the last event that is not the plugin's business
};

/// What becomes of an event that a callback failed on.
enum class OnFailure : std::uint8_t { registered, retry, skip, halt };

/// What happens when there is no room for another dead letter.
enum class WhenFull : std::uint8_t { hold, drop_oldest };

struct Bytes {
    std::uint64_t count = 0;
};

/// What a plugin is given as `args()`: any YAML, as JSON text.
struct Arguments {
    std::string json = "null";
    std::string shown = "null";        ///< with `${NAME}` references as they were written
    std::vector<std::string> secrets;  ///< what those references stand for
};

/// How the site is reached.
struct Site {
    std::string url;                        ///< without a trailing slash
    std::string credential;                 ///< the daemon's own, for polling
    std::string default_plugin_credential;  ///< of plugins that name none; empty: they have none
    std::chrono::milliseconds poll_interval{500};
    std::chrono::milliseconds idle_poll_interval{5000};
    int page_size = 500;
    int catch_up_queries = 6;
    std::vector<std::string> event_fields;  ///< besides the usual ones
    std::chrono::milliseconds gap_timeout{std::chrono::minutes(5)};
    std::chrono::milliseconds gap_watch{std::chrono::hours(24)};
    std::chrono::milliseconds gap_watch_interval{std::chrono::minutes(1)};
    bool use_session_uuid = true;
    Secret proxy;                   ///< empty: none
    std::filesystem::path ca_file;  ///< empty: the system's
    std::chrono::milliseconds connect_timeout{10000};
    std::chrono::milliseconds first_byte_timeout{60000};
    std::chrono::milliseconds stall_timeout{20000};
    std::chrono::milliseconds request_timeout{300000};
    std::chrono::milliseconds retry_first{1000};
    std::chrono::milliseconds retry_longest{60000};
    int connections = 4;
};

/// One plugin; also what plugins get where they say nothing themselves.
struct PluginSettings {
    bool enabled = true;
    Isolation isolation = Isolation::process;
    Start start;
    std::string credential;  ///< name of a credential; empty: the default for plugins
    Arguments args;
    std::optional<std::chrono::milliseconds> soft_deadline{std::chrono::minutes(1)};
    std::optional<std::chrono::milliseconds> hard_deadline{std::chrono::minutes(10)};
    std::optional<Bytes> memory_limit;
    std::optional<std::chrono::milliseconds> cpu_limit;
    int nice = 0;
    LogLevel log_level = LogLevel::info;
    std::vector<std::string> alerts_to;  ///< addresses, or "all" or "none" alone; empty: as it registers
    OnFailure on_failure = OnFailure::registered;
    int attempts = 12;
    int crashes = 3;
    std::optional<std::chrono::milliseconds> give_up_after;
    std::optional<std::chrono::milliseconds> retry_first;  ///< none: as in `retries`
    std::optional<std::chrono::milliseconds> retry_longest;
    EventTraits only{}, never{};  ///< of the events of all its callbacks
    bool strict_order = false;
};

/// What lines on standard error look like.
enum class LogFormat : std::uint8_t { text, json };

/// Whether each call of a callback is written down: not, as a line of the old daemon, or as a JSON object.
enum class CallTimings : std::uint8_t { none, lines, records };

struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::filesystem::path file;  ///< empty: standard error only
    bool per_plugin = false;     ///< plugins' lines in files of their own beside it
    bool rotate = true;
    int keep = 10;
    bool compress = false;
    CallTimings timing = CallTimings::none;
};

/// Where the daemon is looked at and steered.
struct Admin {
    std::filesystem::path socket;  ///< empty: `control.sock` in the state directory
    std::string address;           ///< host:port of this machine's loopback; empty: none
    Secret token;  ///< with which the page may have dead letters tried again; empty: it only shows
    std::filesystem::path token_file;
};

/// How changed plugins are noticed.
struct Reload {
    std::chrono::milliseconds interval{5000};
    std::chrono::milliseconds settle{1000};
};

/// When an event is tried again that a callback failed on.
struct Retries {
    std::chrono::milliseconds first{1000};
    std::chrono::milliseconds longest{std::chrono::minutes(5)};
};

/// Events that were given up.
struct DeadLetters {
    int per_plugin = 1000;
    Bytes size{32'000'000};
    WhenFull when_full = WhenFull::hold;
};

/// The data retriever of all plugins, and the files it keeps.
struct Retriever {
    std::filesystem::path cache_dir;  ///< empty: `files` in the cache directory
    Bytes cache_size{4'000'000'000};
    std::chrono::milliseconds cache_age{std::chrono::days(60)};
    int workers = 4;
};

/// How a mail server is spoken to: TLS asked for after the greeting, from the first byte, or none.
enum class MailTls : std::uint8_t { starttls, implicit, none };

struct AlertMail {
    std::string server;  ///< empty: no mail
    int port = 587;
    MailTls tls = MailTls::starttls;
    std::filesystem::path ca_file;  ///< empty: the system's
    std::string user;               ///< empty: no login
    Secret password;
    std::filesystem::path password_file;
    bool allow_plain_login = false;
    std::string from;
    std::vector<std::string> to;
    std::string subject = "[SG]";
};

struct AlertHook {
    Secret url;  ///< empty: none
    std::filesystem::path url_file;
    std::filesystem::path ca_file;
};

/// Where the site's webhook may tell of new events.
struct Webhook {
    std::string address;  ///< host:port; empty: none
    Secret token;         ///< that deliveries are signed with
    std::filesystem::path token_file;
};

/// What people are told of, and how.
struct Alerts {
    LogLevel level = LogLevel::error;
    std::chrono::milliseconds gather{10'000};
    std::chrono::milliseconds pause{std::chrono::minutes(5)};
    int attempts = 5;
    std::chrono::milliseconds timeout{30'000};
    std::optional<std::chrono::milliseconds> quiet_after;
    AlertMail mail;
    AlertHook hook;
    std::vector<std::string> command;  ///< empty: none
};

/// All of it. Paths are absolute: relative ones were resolved against the file they stand in.
struct Config {
    Site site;
    std::map<std::string, Credential> credentials;
    std::vector<std::filesystem::path> collections;
    std::vector<std::filesystem::path> ordered_collections;
    bool allow_world_writable_plugins = false;
    PluginSettings plugin_defaults;
    std::map<std::string, PluginSettings> plugins;
    Admin admin;
    Webhook webhook;
    Reload reload;
    Retries retries;
    DeadLetters dead_letters;
    Retriever retriever;
    std::filesystem::path pid_file;  ///< empty: none
    std::filesystem::path state_dir = "/var/lib/sgeventd";
    std::filesystem::path cache_dir = "/var/cache/sgeventd";
    Log log;
    Alerts alerts;
    std::chrono::milliseconds drain_time{30000};
    bool strict_start = false;
    std::chrono::milliseconds strict_start_time{30000};

    /// The section of `plugin`, or what plugins get that have none.
    const PluginSettings& of(const std::string& plugin) const {
        const auto at = plugins.find(plugin);
        return at == plugins.end() ? plugin_defaults : at->second;
    }

    std::filesystem::path admin_socket() const {
        return admin.socket.empty() ? state_dir / "control.sock" : admin.socket;
    }

    std::filesystem::path file_cache_dir() const {
        return retriever.cache_dir.empty() ? cache_dir / "files" : retriever.cache_dir;
    }

    /// Everything that must not appear in a log.
    std::vector<std::string> secrets() const;
};

}  // namespace sg::config
