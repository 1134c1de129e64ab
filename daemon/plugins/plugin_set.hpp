#pragma once
// All plugins of the configuration, each in its host.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/event_traits.hpp>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "host/requests/requests.hpp"
#include "plugins/collection.hpp"
#include "plugins/generation.hpp"
#include "util/loop.hpp"

namespace sg::plugins {

enum class Isolation {
    process,  ///< a child process of the plugin's own
    thread,   ///< a thread of the daemon: a crash of the plugin is a crash of the daemon
};

/// What the configuration says about one plugin.
struct PluginSettings {
    bool enabled = true;            ///< false: it is known and not loaded
    nlohmann::json args = nullptr;  ///< handed to the plugin as it stands
    Isolation isolation = Isolation::process;
    std::string credential;                                           ///< name; empty: the default
    std::optional<std::chrono::milliseconds> soft_deadline;           ///< of a call: one warning
    std::optional<std::chrono::milliseconds> hard_deadline{600'000};  ///< of a call: the host is killed
    std::optional<std::uint64_t> memory_bytes;                        ///< address space of the host
    std::optional<std::chrono::seconds> cpu_time;                     ///< of the host, in total
    std::optional<std::uint64_t> open_files;                          ///< of the host
    int nice = 0;                                                     ///< added to the daemon's own
    std::optional<LogLevel> log_level{};                              ///< none: what its log keeps
    EventTraits only{}, never{};                                      ///< of the events of all its callbacks
};

struct PluginSetOptions {
    std::vector<std::filesystem::path> collections;  ///< directories with plugins, first wins
    WorldWritable world_writable = WorldWritable::refused;
    PluginSettings defaults;                        ///< of plugins that `plugins` does not name
    std::map<std::string, PluginSettings> plugins;  ///< by plugin id: the file's name without `.so`
    std::filesystem::path cache_directory;  ///< private copies; made if absent; must not be mounted noexec
    std::filesystem::path run_records;      ///< of plugins in threads, see RunRecord; empty: none
    std::filesystem::path lock_file;        ///< `hosts.lock` in the state directory, shared by all hosts
    std::filesystem::path host_program;     ///< `sgeventd-host`; empty: see `find_host_program`
    /// The script behind each credential; empty: a person, or in a person's name. Under the empty name the
    /// default.
    std::map<std::string, std::string> scripts{};
    std::string site;  ///< the site's identity, part of every idempotency key
    bool dry_run = false;
    std::vector<std::string> environment;                     ///< variables that hosts get besides the usual
    std::chrono::milliseconds registration_deadline{60'000};  ///< from start to registered
    std::chrono::milliseconds leftover_wait{2'000};  ///< for hosts of an earlier daemon, then they are killed
    std::chrono::milliseconds kill_grace{100};       ///< between stop, SIGABRT and SIGKILL
    std::size_t requests_at_once = 16;               ///< per plugin; more wait in the host
    std::chrono::milliseconds look_interval{5'000};  ///< between two looks at the collections
    std::chrono::milliseconds settle_time{1'000};    ///< a changed file must stay the same for so long

    const PluginSettings& of(const std::string& plugin) const {
        const auto found = plugins.find(plugin);
        return found == plugins.end() ? defaults : found->second;
    }
};

/// `sgeventd-host` beside the running program (a build tree), else in the private library directory.
std::filesystem::path find_host_program();

/// Where a plugin stands, for people.
enum class Stage { starting, serving, retrying, refused, gone, disabled, stopped };
std::string_view to_string(Stage stage) noexcept;

struct PluginStatus {
    std::string plugin;
    std::filesystem::path file;
    Stage stage = Stage::starting;
    std::string build;             ///< content hash of the library, hex
    std::uint64_t generation = 0;  ///< 0: none was ever started
    int pid = 0;                   ///< of the host; 0: none, or a thread
    std::size_t callbacks = 0;
    std::size_t outstanding = 0;          ///< outcomes that are awaited
    bool stuck = false;                   ///< past its hard deadline, in a thread that cannot be killed
    nlohmann::json alerts = "all";        ///< as the plugin registered it: "all", "none" or addresses
    std::optional<LogLevel> log_level{};  ///< that the plugin chose for its own lines
    std::string last_error;
};

/// What an orderly stop had to leave behind.
struct StopReport {
    std::vector<std::string> killed;     ///< plugins whose host did not end by itself in time
    std::vector<std::string> abandoned;  ///< plugins in a thread of the daemon that still runs
};

/// Finds the plugins, checks and starts them, starts them again when their host dies or their file
/// changes, and hands ready generations to the owner. What one plugin does never delays another.
///
/// A file that has changed is loaded beside the build that serves, which goes on where the new one is
/// refused. A plugin whose file is gone finishes what it runs and is handed nothing more.
///
/// A plugin whose start fails for a passing reason (its registration met a dead site, its host
/// died) is tried again with growing pauses; one whose file is wrong waits until the file changes.
///
/// Threads:  loop thread, or before the loop runs. Reads and copies files on a thread of its own.
/// Lifetime: ends before the loop, the owner, the requests and the loggers. Destroying it kills
///           hosts that are left; where `StopReport::abandoned` names anything, the destructor
///           would wait for that thread: end the process instead.
class PluginSet {
public:
    /// `logger(plugin)` is the plugin's own log; asked for once per plugin, kept until the set ends.
    /// Without `data` plugins have no data retriever.
    using LoggerFor = std::function<Logger&(const std::string& plugin)>;

    static std::unique_ptr<PluginSet> make(PluginSetOptions options, Loop& loop, host::SiteRequests& requests,
                                           GenerationOwner& owner, Logger& log, LoggerFor logger,
                                           host::DataRequests* data = nullptr);
    virtual ~PluginSet() = default;

    /// Waits for the hosts of an earlier daemon to be gone, then loads every plugin. `found` is told
    /// the plugins' ids in processing order once the collections were read, before any is loaded.
    virtual void start(std::function<void(const std::vector<std::string>& plugins)> found) = 0;

    /// Starts a generation of the plugin's file as it is now, beside the one that serves; it takes
    /// over when it is ready, and the old one is drained. Nothing else if it is refused.
    virtual void load(const std::string& plugin) = 0;

    /// The same for every plugin.
    virtual void load_all() = 0;

    /// Takes these instead of those in the options. A plugin that is disabled now is drained; one that is
    /// enabled now is loaded; for the others it counts from their next generation on.
    virtual void configure(PluginSettings defaults, std::map<std::string, PluginSettings> plugins) = 0;

    /// Drains every host: what runs may finish within `drain`, then it is stopped, then killed.
    /// `done` is called once, on the loop, when all are gone or abandoned.
    virtual void stop(std::chrono::milliseconds drain, std::function<void(StopReport)> done) = 0;

    /// In processing order; what was found later stands at the end.
    virtual std::vector<PluginStatus> status() const = 0;
};

}  // namespace sg::plugins
