#pragma once
// A plugin in a real host that asks what the test tells it to, and the daemon's side of it.

#include "plugins/rig.hpp"
#include "retriever/studio.hpp"
#include "service/data_requests.hpp"

namespace sg::test {

/// tests/bad_plugins/retrieves.cpp, under one or more names.
class Live {
public:
    struct Options {
        unsigned workers = 1;
        plugins::Isolation isolation = plugins::Isolation::process;
        host::SiteRequests* writes = nullptr;
        std::vector<std::string> plugins{"a"};
        std::shared_ptr<Clock> cache_clock{};  // empty: the machine's
    };
    explicit Live(Options how) : names_(std::move(how.plugins)) {
        service::Credentials credentials;
        credentials.named["plugins"] = {site::Script{sandbox::Site::script, sandbox::Site::key}, {}};
        credentials.for_plugins = "plugins";
        service::DataRequestPool::Options options;
        options.cache.root = rig.dir / "files";
        options.cache.clock = std::move(how.cache_clock);
        options.workers = how.workers;
        pool.emplace(service::PluginAccess{*studio.client, std::move(credentials), studio.site.url(), true,
                                           how.writes, rig.log},
                     std::move(options));
        for (const auto& name : names_) rig.add("retrieves", name);
        rig.options.defaults.isolation = how.isolation;
        rig.data = &*pool;
        rig.start();
        for (const auto& name : names_) REQUIRE(rig.wait_ready(name));
    }
    Live() : Live(Options{}) {}
    ~Live() { rig.set.reset(); }
    Live(const Live&) = delete;
    Live& operator=(const Live&) = delete;

    fs::path cache() const { return rig.dir / "files"; }

    /// Hands the plugin a command, without waiting.
    void tell(const json& command, const std::string& plugin = "a") {
        const json raw{
            {"id", ++last_event_}, {"event_type", "Do"}, {"attribute_name", ""}, {"meta", command}};
        const auto text = raw.dump();
        event::EventRow row;
        row.id = last_event_;
        row.type = "Do";
        row.raw = text;
        rig.deliver(plugin, {{event::detach(row), {0}, 1, false}});
        ++told_[plugin];
    }
    /// The results so far, in order.
    std::vector<json> results(const std::string& plugin = "a") {
        std::vector<json> out;
        for (const auto& line : rig.logs[plugin].lines()) {
            if (!line.text.starts_with("result ")) continue;
            const auto end = line.text.rfind(" callback=");
            out.push_back(json::parse(line.text.substr(7, end - 7)));
        }
        return out;
    }
    /// The result of a command.
    json run(const json& command, const std::string& plugin = "a") {
        tell(command, plugin);
        const auto expected = told_[plugin];
        INFO(command.dump());
        // Thousands of requests under a sanitizer, beside other tests, take as long as a minute.
        const bool came =
            rig.wait([&] { return results(plugin).size() >= expected; }, std::chrono::minutes(3));
        INFO(rig.everything_logged());
        REQUIRE(came);
        return results(plugin).at(expected - 1);
    }
    json start(const json& all, const std::string& plugin = "a") {
        // One alone in braces is no list.
        return run({{"do", "start"}, {"all", all.is_object() ? json::array({all}) : all}}, plugin);
    }
    json wait(std::size_t count, const std::string& plugin = "a") {
        return run({{"do", "wait"}, {"count", count}}, plugin);
    }
    /// The signals of one request: `c`, `f` or `x` if all is well.
    static std::string of(const json& signals, const std::string& name) {
        std::string kinds;
        for (const auto& signal : signals)
            if (signal.at("name") == name) kinds += signal.at("kind").get<std::string>();
        return kinds;
    }
    static json last(const json& signals, const std::string& name) {
        for (const auto& signal : signals)
            if (signal.at("name") == name) return signal;
        return nullptr;
    }
    static json find(const std::string& name, const char* type = "Shot") {
        return {{"name", name}, {"what", "find"}, {"args", {type, json::array(), {"code"}}}};
    }
    json thumbnail(const std::string& name, const std::string& url) const {
        return {{"name", name}, {"what", "thumbnail"}, {"url", url}};
    }
    std::shared_ptr<sandbox::Gate> hold(const char* method, std::uint64_t times = 1) {
        auto gate = std::make_shared<sandbox::Gate>();
        studio.site.inject(Fault::honest().behind(gate).on(method).times(times));
        return gate;
    }

    /// What waits for a worker: with a request of a plugin's there may be the cleaning of its cache.
    std::size_t queued() const { return pool->stats().ready; }

    /// Once what was told has come to the daemon's queue as well.
    bool wait_queued(std::size_t ready) {
        return rig.wait([&] { return pool->stats().ready == ready; });
    }
    bool wait_held(const std::shared_ptr<sandbox::Gate>& gate, std::size_t count = 1) {
        return rig.wait([&] { return gate->held() >= count; });
    }
    /// Until nothing is under way, cleaning included.
    bool wait_idle() {
        return rig.wait([&] {
            const auto now = pool->stats();
            return now.ready + now.running + now.discarded_running == 0;
        });
    }

    Studio studio;
    Rig rig;
    std::optional<service::DataRequestPool> pool;

private:
    const std::vector<std::string> names_;
    EventId last_event_ = 0;
    std::map<std::string, std::size_t> told_;
};

}  // namespace sg::test
