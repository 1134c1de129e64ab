#pragma once
// A real daemon of a test's own.

#include <sqlite3.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/process.hpp"
#include "journal.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

/// A plugin for a daemon: a library under a name of its own, and its section of the configuration.
struct TestPlugin {
    std::string name;                                    ///< the file becomes `<name>.so`
    std::filesystem::path library;                       ///< copied; see `shipped` and `scripted`
    nlohmann::json args = nlohmann::json::object();      ///< `@DIR@` in a text stands for `Home::path()`
    nlohmann::json settings = nlohmann::json::object();  ///< further keys: isolation, hard_deadline, …
};

/// A plugin of `plugins/`.
inline std::filesystem::path shipped(const std::string& name) {
    return std::filesystem::path(SG_PLUGIN_DIR) / (name + ".so");
}

/// `name` is a copy of tests/scripted_plugin, whose source says what `args` do. Its journal is
/// `home.journal(name)` unless the arguments say otherwise.
inline TestPlugin scripted(const std::string& name, nlohmann::json args = nlohmann::json::object(),
                           nlohmann::json settings = nlohmann::json::object()) {
    if (!args.contains("journal")) args["journal"] = "@DIR@/" + name + ".jsonl";
    return {name, std::filesystem::path(SG_TEST_PLUGIN_DIR) / "scripted_plugin.so", std::move(args),
            std::move(settings)};
}

/// The recorder, writing to `home.journal(name)`.
inline TestPlugin recorder(const std::string& name = "recorder",
                           nlohmann::json args = nlohmann::json::object()) {
    args["file"] = "@DIR@/" + name + ".jsonl";
    return {name, shipped("recorder"), std::move(args), {}};
}

/// What survives a daemon: its configuration, state, plugins, logs and journals. Tests that restart
/// a daemon make one home and several daemons, one after another.
class Home {
public:
    /// The daemon polls `site` every 50 ms and waits 2 s for gaps. `changes` is laid over the
    /// configuration as a JSON merge patch: `{{"drain_time", "1s"}}`.
    Home(const sandbox::Site& site, std::vector<TestPlugin> plugins,
         nlohmann::json changes = nlohmann::json::object())
        : Home(site.url(), std::move(plugins), std::move(changes)) {}
    Home(const std::string& site_url, std::vector<TestPlugin> plugins,
         nlohmann::json changes = nlohmann::json::object()) {
        std::filesystem::create_directory(path() / "plugins");
        config_ = {{"site",
                    {{"url", site_url},
                     {"credential", "daemon"},
                     {"default_plugin_credential", "plugins"},
                     {"poll_interval", "50ms"},
                     {"idle_poll_interval", "50ms"},
                     {"gap_timeout", "2s"},
                     {"retry_first", "100ms"},
                     {"retry_longest", "500ms"}}},
                   {"credentials",
                    {{"daemon", {{"script", sandbox::Site::script}, {"key", sandbox::Site::key}}},
                     {"plugins", {{"script", sandbox::Site::script}, {"key", sandbox::Site::key}}}}},
                   {"collections", {"plugins"}},
                   {"plugins", nlohmann::json::object()},
                   {"retries", {{"first", "100ms"}, {"longest", "500ms"}}},
                   {"state_dir", "state"},
                   {"cache_dir", "cache"},
                   {"log", {{"level", "debug"}}},
                   {"drain_time", "5s"}};
        for (auto& plugin : plugins) add(std::move(plugin));
        change(changes);
    }

    const std::filesystem::path& path() const { return dir_.path(); }
    std::filesystem::path state() const { return path() / "state"; }
    std::filesystem::path log() const { return path() / "daemon.log"; }
    std::filesystem::path config_file() const { return path() / "sgeventd.yaml"; }
    std::filesystem::path journal(const std::string& plugin = "recorder") const {
        return path() / (plugin + ".jsonl");
    }

    /// For the next daemon; one that runs notices nothing but the file in its collection.
    void add(TestPlugin plugin) {
        std::filesystem::copy_file(plugin.library, path() / "plugins" / (plugin.name + ".so"),
                                   std::filesystem::copy_options::overwrite_existing);
        auto section = std::move(plugin.settings);
        if (!section.is_object()) section = nlohmann::json::object();
        section["args"] = in_home(std::move(plugin.args));
        change({{"plugins", {{plugin.name, std::move(section)}}}});
    }
    void change(const nlohmann::json& merge_patch) {
        config_.merge_patch(merge_patch);
        std::ofstream(config_file()) << config_.dump(2);  // JSON is YAML
    }

private:
    nlohmann::json in_home(nlohmann::json value) const {
        if (value.is_string()) {
            auto text = value.get<std::string>();
            if (const auto at = text.find("@DIR@"); at != std::string::npos)
                text.replace(at, 5, path().string());
            return text;
        }
        if (value.is_structured())
            for (auto& child : value) child = in_home(std::move(child));
        return value;
    }

    TempDir dir_;
    nlohmann::json config_;
};

/// The built `sgeventd run`, as an administrator would start it. Ends with the object, at the latest.
class Daemon {
public:
    /// `more`: further words of its command line.
    explicit Daemon(const Home& home, std::vector<std::string> environment = {},
                    const std::vector<std::string>& more = {})
        : home_(home), said_before_(read_file(home.log()).size()) {
        std::vector<std::string> words{SG_PROGRAM, "run", "--config", home.config_file().string()};
        words.insert(words.end(), more.begin(), more.end());
        process_ =
            std::make_unique<Process>(std::move(words), std::move(environment), home.log(), home.log());
    }

    int pid() const { return process_->pid(); }
    void signal(int number) { process_->signal(number); }
    std::optional<Ended> wait(std::chrono::milliseconds at_most = std::chrono::seconds(60)) {
        return process_->wait(at_most);
    }
    /// SIGKILL, as a power cut would.
    void kill() {
        signal(SIGKILL);
        wait();
    }
    /// SIGTERM; how it ended.
    Ended terminate() {
        signal(SIGTERM);
        return wait().value_or(Ended{});
    }

    /// What this daemon has said so far, standard error of its plugins included.
    std::string log() const { return read_file(home_.log()).substr(said_before_); }
    std::size_t count_in_log(std::string_view text) const {
        const auto said = log();
        std::size_t n = 0;
        for (auto at = said.find(text); at != std::string::npos; at = said.find(text, at + text.size())) ++n;
        return n;
    }
    /// False if the text does not come within the limit, or the daemon ends without it.
    bool wait_for_log(std::string_view text, std::size_t times = 1,
                      std::chrono::milliseconds at_most = std::chrono::seconds(60)) {
        bool ended = false;
        return wait_for(
                   [&] {
                       if (count_in_log(text) >= times) return true;
                       return std::exchange(ended, process_->wait(std::chrono::milliseconds(0)).has_value());
                   },
                   at_most) &&
               count_in_log(text) >= times;
    }

    /// The plugin's cursor on disk; nullopt while it has none.
    std::optional<std::int64_t> cursor(const std::string& plugin) const {
        return state_number("SELECT cursor FROM plugin WHERE id=?1", plugin);
    }
    std::optional<std::int64_t> pending(const std::string& plugin) const {
        return state_number("SELECT count(*) FROM pending WHERE plugin=?1", plugin);
    }
    bool wait_for_cursor(const std::string& plugin, std::int64_t id,
                         std::chrono::milliseconds at_most = std::chrono::seconds(60)) const {
        return wait_for([&] { return cursor(plugin).value_or(-1) >= id; }, at_most);
    }
    /// Until every plugin of `names` has a start position on disk: events added from now on are its own.
    bool wait_until_followed(const std::vector<std::string>& names) const {
        for (const auto& name : names)
            if (!wait_for([&] { return cursor(name).has_value(); }, std::chrono::seconds(60))) return false;
        return true;
    }

    /// Process ids of the hosts that are alive.
    std::vector<int> hosts() const {
        std::vector<int> pids;
        std::error_code gone;
        // A child belongs to the thread that made it.
        for (const auto& task :
             std::filesystem::directory_iterator("/proc/" + std::to_string(pid()) + "/task", gone)) {
            std::ifstream in(task.path() / "children");
            for (int child = 0; in >> child;) pids.push_back(child);
        }
        return pids;
    }

private:
    std::optional<std::int64_t> state_number(const char* sql, const std::string& plugin) const {
        sqlite3* opened = nullptr;
        const auto file = home_.state() / "state.db";
        const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
        const std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection(opened, sqlite3_close);
        sqlite3_stmt* prepared = nullptr;
        if (code != SQLITE_OK || sqlite3_prepare_v2(opened, sql, -1, &prepared, nullptr) != SQLITE_OK)
            return std::nullopt;
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
        sqlite3_bind_text(prepared, 1, plugin.data(), static_cast<int>(plugin.size()), SQLITE_TRANSIENT);
        if (sqlite3_step(prepared) != SQLITE_ROW) return std::nullopt;
        return sqlite3_column_int64(prepared, 0);
    }

    const Home& home_;
    const std::size_t said_before_;  // by daemons before this one
    std::unique_ptr<Process> process_;
};

inline bool wait_for_recorded(const Home& home, std::size_t events) {
    return wait_for([&] { return journal_ids(home.journal()).size() >= events; }, std::chrono::seconds(60));
}

/// A row that says nothing but its id.
inline sandbox::EventSpec event(std::int64_t id) {
    sandbox::EventSpec spec;
    spec.id = id;
    return spec;
}

}  // namespace sg::test
