#include "service/replay.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "event/row_event.hpp"
#include "plugins/collection.hpp"
#include "plugins/plugin_set.hpp"
#include "service/past_events.hpp"
#include "service/recording.hpp"
#include "service/settings.hpp"
#include "service/site_requests.hpp"
#include "stream/site_event_reader.hpp"
#include "util/loop.hpp"
#include "util/temporary_directory.hpp"

namespace sg::service {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// A directory of links to the plugins that were chosen, and of what a daemon keeps beside them.
class Workplace {
public:
    explicit Workplace(const fs::path& root) : root_(root) { fs::create_directory(plugins()); }

    fs::path plugins() const { return root_ / "plugins"; }
    fs::path cache() const { return root_ / "cache"; }
    fs::path files() const { return root_ / "files"; }
    fs::path lock() const { return root_ / "hosts.lock"; }

    Result<void> add(const fs::path& library) {
        std::error_code error;
        const auto file = fs::absolute(library);
        fs::create_symlink(file, plugins() / file.filename(), error);
        if (!error && fs::exists(plugins::libraries_of(file)))
            fs::create_symlink(plugins::libraries_of(file),
                               plugins::libraries_of(plugins() / file.filename()), error);
        if (error) return fail(Cause::invalid, "{}: {}", library.string(), error.message());
        return {};
    }

private:
    const fs::path root_;
};

Result<void> gather(const config::Config& config, const ReplayOptions& options, Logger& log,
                    Workplace& place) {
    for (const auto& library : options.libraries) {
        if (library.extension() != ".so" || !fs::is_regular_file(library))
            return fail(Cause::invalid, "{} is not a plugin's file (NAME.so)", library.string());
        if (auto added = place.add(library); !added) return added;
    }
    if (options.plugins.empty() && !options.libraries.empty()) return {};
    auto wanted = std::set<std::string>(options.plugins.begin(), options.plugins.end());
    for (const auto& found :
         plugins::Collections(config.collections, log, world_writable(config)).scan().plugins) {
        if (!options.plugins.empty() && wanted.erase(found.id) == 0) continue;
        if (auto added = place.add(found.file); !added) return added;
    }
    if (!options.plugins.empty() && !wanted.empty())
        return fail(Cause::invalid, "no collection has a plugin called {}", *wanted.begin());
    return {};
}

/// Ids of `covered` that no row of the page has, as ranges.
std::vector<stream::IdRange> missing_in(const std::vector<stream::IdRange>& covered,
                                        const event::EventPage& page) {
    std::vector<stream::IdRange> missing;
    auto row = page.rows().begin();
    for (const auto& range : covered) {
        auto from = range.first;
        for (; row != page.rows().end() && row->id <= range.last; ++row) {
            if (row->id > from) missing.push_back({from, row->id - 1});
            from = row->id + 1;
        }
        if (from <= range.last) missing.push_back({from, range.last});
    }
    return missing;
}

/// The plugins' owner in place of a dispatcher: one event at a time, nothing kept.
class Runner final : public plugins::GenerationOwner {
public:
    Runner(Loop& loop, ReplayView& view, ReplayCounts& counts) : loop_(loop), view_(view), counts_(counts) {}

    void on_ready(std::shared_ptr<plugins::Generation> generation) override {
        const auto& plugin = generation->plugin();
        ready_[plugin] = std::move(generation);
        waited_for_.erase(plugin);
    }
    void on_refused(const std::string& plugin, const Failure& why, bool) override {
        if (waited_for_.erase(plugin) == 0) return;
        ++counts_.refused;
        view_.on_refused(plugin, why.message);
    }
    void on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) override {
        for (const auto& outcome : outcomes) {
            if (!outcome.ok) ++counts_.failed;
            view_.on_outcome(generation.plugin(), generation.callbacks()[outcome.callback].name, outcome);
            if (outstanding_ > 0) --outstanding_;
        }
    }
    void on_end(plugins::Generation& generation, const plugins::HostEnd& end) override {
        const auto found = ready_.find(generation.plugin());
        if (stopping_ || found == ready_.end() || found->second.get() != &generation) return;
        ++counts_.failed;
        view_.on_crash(generation.plugin(), end.reason);
        crashed_.insert(generation.plugin());
        ready_.erase(found);
        outstanding_ = 0;
    }

    void expect(const std::vector<std::string>& plugins) {
        waited_for_.insert(plugins.begin(), plugins.end());
        found_ = true;
    }
    bool is_loaded() const { return found_ && waited_for_.empty(); }
    void stop() { stopping_ = true; }

    /// That events are to have besides the usual ones.
    std::vector<std::string> fields(const std::vector<std::string>& configured) const {
        std::set<std::string> all(configured.begin(), configured.end());
        for (const auto& [plugin, generation] : ready_)
            for (const auto& callback : generation->callbacks())
                all.insert(callback.fields.begin(), callback.fields.end());
        return {all.begin(), all.end()};
    }

    void offer(const event::PagePtr& page, std::uint32_t index, bool execute) {
        const auto& row = page->rows()[index];
        ++counts_.events;
        view_.on_event(row);
        for (const auto& [plugin, generation] : std::map(ready_)) offer(*generation, page, index, execute);
    }

private:
    void offer(plugins::Generation& generation, const event::PagePtr& page, std::uint32_t index,
               bool execute) {
        if (crashed_.contains(generation.plugin())) return;
        const auto& row = page->rows()[index];
        const event::RowEvent event(row);
        host::CallbackList wanted;
        for (std::size_t i = 0; i < generation.callbacks().size(); ++i) {
            const auto& callback = generation.callbacks()[i];
            auto why = why_no_match(callback.filter, row.type, row.attribute);
            if (why.empty()) why = callback.conditions.why_not(event);
            if (!why.empty()) {
                view_.on_no_match(generation.plugin(), callback.name, why);
                continue;
            }
            ++counts_.matches;
            view_.on_match(generation.plugin(), callback.name);
            wanted.push_back(static_cast<std::uint16_t>(i));
        }
        if (!execute || wanted.empty()) return;
        outstanding_ = wanted.size();
        generation.deliver({{{event::EventHandle{page, index}, wanted, 1, false}}});
        while (outstanding_ > 0) loop_.run_some();
    }

    Loop& loop_;
    ReplayView& view_;
    ReplayCounts& counts_;
    std::map<std::string, std::shared_ptr<plugins::Generation>> ready_;
    std::set<std::string> waited_for_, crashed_;
    std::size_t outstanding_ = 0;
    bool found_ = false, stopping_ = false;
};

Result<void> run_ids(IdPages& pages, const ReplayOptions& options, Runner& runner, ReplayView& view,
                     ReplayCounts& counts) {
    std::vector<stream::IdRange> covered;
    for (;;) {
        auto page = pages.next(covered);
        if (!page) return tl::unexpected(page.error());
        if (!*page) return {};
        // In one order with the events, as they would have come.
        const auto missing = missing_in(covered, **page);
        auto gap = missing.begin();
        const auto tell_below = [&](EventId id) {
            for (; gap != missing.end() && gap->first < id; ++gap) {
                counts.missing += static_cast<std::size_t>(gap->last - gap->first + 1);
                view.on_missing(*gap);
            }
        };
        for (std::uint32_t i = 0; i < (*page)->rows().size(); ++i) {
            tell_below((*page)->rows()[i].id);
            runner.offer(*page, i, options.execute);
        }
        tell_below(std::numeric_limits<EventId>::max());
    }
}

Result<void> run_window(WindowPages& pages, const ReplayOptions& options, Runner& runner) {
    for (;;) {
        auto page = pages.next();
        if (!page) return tl::unexpected(page.error());
        if (!*page) return {};
        for (std::uint32_t i = 0; i < (*page)->rows().size(); ++i) runner.offer(*page, i, options.execute);
    }
}

Result<void> run_recording(std::istream& in, const ReplayOptions& options, Runner& runner, Logger& log) {
    Recording recording(in, options.recording, log);
    for (;;) {
        auto page = recording.next();
        if (!page) return tl::unexpected(page.error());
        if (!*page) return {};
        runner.offer(*page, 0, options.execute);
    }
}

}  // namespace

std::string why_no_match(const EventFilter& filter, std::string_view type, std::string_view attribute) {
    if (filter.matches(type, attribute)) return {};
    const auto list = [](const auto& names) {
        std::string text;
        for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
        return text;
    };
    const auto own = filter.entries().find(type);
    if (own != filter.entries().end() && !own->second.attributes.empty())
        return fmt::format("of this type it wants {} alone, not {}", list(own->second.attributes),
                           attribute.empty() ? "events without an attribute" : attribute);
    std::vector<std::string> types;
    for (const auto& [name, unused] : filter.entries()) types.push_back(name);
    return "it wants " + list(types);
}

Result<ReplayCounts> replay(const config::Config& config, const ReplayOptions& options,
                            logging::Logging& logging, ReplayView& view) {
    auto& log = logging.engine();
    const auto directory = TemporaryDirectory::make("sgeventd-replay");
    if (!directory) return tl::unexpected(directory.error());
    Workplace place(directory->path());
    if (auto gathered = gather(config, options, log, place); !gathered)
        return tl::unexpected(gathered.error());
    SystemClock clock;
    auto client = site::Client::make(site_settings(config), clock, log);
    if (!client) return tl::unexpected(client.error());
    stream::SiteEventReader reader(**client, daemon_caller(config));
    SiteRequestPool pool(**client, plugin_credentials(config), request_options(config), log);
    WriteIntercept intercept(pool, [&view](const IntendedWrite& write) { view.on_write(write); });
    auto access = plugin_access(config, **client, log);
    if (!options.write) access.writes = &intercept;
    DataRequestPool data(std::move(access), data_options(config, place.files()));
    auto& requests = options.write ? static_cast<host::SiteRequests&>(pool) : intercept;

    auto plugin_settings = plugin_options(config);
    plugin_settings.collections = {place.plugins()};
    plugin_settings.cache_directory = place.cache();
    plugin_settings.lock_file = place.lock();
    plugin_settings.run_records.clear();
    plugin_settings.dry_run = !options.write;
    plugin_settings.look_interval = 24h;
    ReplayCounts counts;
    Loop loop(clock);
    Runner runner(loop, view, counts);
    auto set = plugins::PluginSet::make(
        plugin_settings, loop, requests, runner, log,
        [&](const std::string& plugin) -> Logger& {
            auto& logger = logging.plugin(plugin);
            // What a plugin says while it only registers is not what was asked.
            logging.set_level(logger, options.execute ? config.of(plugin).log_level : LogLevel::warning);
            return logger;
        },
        &data);
    set->start([&](const auto& found) { runner.expect(found); });
    while (!runner.is_loaded()) loop.run_some();
    const auto run = [&]() -> Result<void> {
        if (options.from != nullptr) return run_recording(*options.from, options, runner, log);
        const auto fields = runner.fields(config.site.event_fields);
        if (options.window) {
            WindowPages pages(reader, *options.window, fields);
            return run_window(pages, options, runner);
        }
        IdPages pages(reader, options.ids, fields);
        return run_ids(pages, options, runner, view, counts);
    };
    const auto ran = run();
    runner.stop();
    bool stopped = false;
    data.shut_down();
    pool.shut_down();
    set->stop(0ms, [&](const auto&) { stopped = true; });
    while (!stopped) loop.run_some();
    if (!ran) return tl::unexpected(ran.error());
    return counts;
}

}  // namespace sg::service
