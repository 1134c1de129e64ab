#pragma once
// A plugin set with everything around it, driven on the test's own thread.

#include <filesystem>
#include <map>
#include <set>

#include "capture_log.hpp"
#include "catch.hpp"
#include "host/events.hpp"
#include "plugins/plugin_set.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

using namespace std::chrono_literals;

/// Keeps what a dispatcher would be told.
class Owner final : public plugins::GenerationOwner {
public:
    struct End {
        std::string plugin;
        std::uint64_t generation;
        plugins::HostEnd end;
    };
    struct Refusal {
        std::string plugin;
        Failure why;
        bool will_retry;
    };
    void on_ready(std::shared_ptr<plugins::Generation> generation) override {
        ++readies[generation->plugin()];
        ready[generation->plugin()] = std::move(generation);
    }
    void on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> list) override {
        auto& all = outcomes[generation.plugin()];
        for (auto& one : list) all.push_back(std::move(one));
    }
    void on_end(plugins::Generation& generation, const plugins::HostEnd& end) override {
        ends.push_back({generation.plugin(), generation.number(), end});
        const auto found = ready.find(generation.plugin());
        if (found != ready.end() && found->second.get() == &generation) ready.erase(found);
    }
    void on_refused(const std::string& plugin, const Failure& why, bool will_retry) override {
        refusals.push_back({plugin, why, will_retry});
    }
    const Refusal* refusal_of(const std::string& plugin) const {
        for (const auto& one : refusals)
            if (one.plugin == plugin) return &one;
        return nullptr;
    }

    std::map<std::string, std::shared_ptr<plugins::Generation>> ready;
    std::map<std::string, int> readies;
    std::map<std::string, std::vector<plugins::Outcome>> outcomes;
    std::vector<End> ends;
    std::vector<Refusal> refusals;
};

/// Answers as it is told; keeps what it was asked. Loop thread.
class SiteDesk final : public host::SiteRequests {
public:
    void start(host::SiteRequest request, std::stop_token stop,
               std::function<void(host::SiteAnswer)> done) override {
        asked.push_back(request);
        if (answer) return done(answer(request));
        waiting.push_back(std::move(done));
        stops.push_back(std::move(stop));
    }
    std::function<host::SiteAnswer(const host::SiteRequest&)> answer;
    std::vector<host::SiteRequest> asked;
    std::vector<std::function<void(host::SiteAnswer)>> waiting;
    std::vector<std::stop_token> stops;
};

/// Directories, loop and set; the plugins named are copied to its collection.
class Rig {
public:
    explicit Rig(std::initializer_list<const char*> plugins = {}) {
        std::filesystem::create_directories(dir / "plugins");
        for (const char* plugin : plugins) add(plugin);
        options.collections = {dir / "plugins"};
        options.cache_directory = dir / "cache";
        options.lock_file = dir / "hosts.lock";
        options.site = "https://site.example";
    }
    ~Rig() { set.reset(); }

    static std::filesystem::path built(const std::string& name) {
        return std::filesystem::path(SG_BAD_PLUGINS) / (name + ".so");
    }
    void add(const std::string& plugin, const std::string& as = {}) {
        std::filesystem::copy_file(built(plugin), dir / "plugins" / ((as.empty() ? plugin : as) + ".so"),
                                   std::filesystem::copy_options::overwrite_existing);
    }
    void start() {
        set = plugins::PluginSet::make(
            options, loop, site, owner, log,
            [this](const std::string& plugin) -> Logger& { return logs[plugin]; }, data);
        set->start([this](const std::vector<std::string>& ids) { found = ids; });
    }
    template <class Condition>
    bool wait(Condition condition, std::chrono::milliseconds at_most = std::chrono::seconds(30)) {
        return wait_for(
            [&] {
                loop.run_ready();
                return condition();
            },
            at_most);
    }
    bool wait_ready(const std::string& plugin, int times = 1) {
        return wait([&] { return owner.readies[plugin] >= times && owner.ready.contains(plugin); });
    }
    void deliver(const std::string& plugin, std::vector<plugins::Delivery> batch) {
        owner.ready.at(plugin)->deliver({std::move(batch)});
    }
    void deliver(const std::string& plugin, EventId id, const std::string& type = "Fine") {
        deliver(plugin, {{make_event(id, type), {0}, 1, false}});
    }
    bool wait_outcomes(const std::string& plugin, std::size_t count) {
        return wait([&] { return owner.outcomes[plugin].size() >= count; });
    }
    std::string everything_logged() {
        std::string text = log.all();
        for (auto& [plugin, own] : logs) text += "--- " + plugin + "\n" + own.all();
        return text;
    }

    TempDir dir;
    SystemClock clock;
    Loop loop{clock};
    plugins::PluginSetOptions options;
    SiteDesk site;
    host::DataRequests* data = nullptr;
    Owner owner;
    CaptureLog log;
    std::map<std::string, CaptureLog> logs;
    std::vector<std::string> found;
    std::unique_ptr<plugins::PluginSet> set;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool with_sanitizer = true;
#else
inline constexpr bool with_sanitizer = false;
#endif

}  // namespace sg::test
