#include "service/disabled_plugins.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace sg::service {

DisabledPlugins::DisabledPlugins(checkpoint::Store& store, Loop& loop, Logger& log)
    : store_(store), loop_(loop), log_(log), disabled_(store.snapshot().disabled) {}

plugins::PluginSetOptions DisabledPlugins::applied(plugins::PluginSetOptions options) const {
    for (const auto& [plugin, unused] : disabled_) {
        auto settings = options.of(plugin);
        settings.enabled = false;
        options.plugins.insert_or_assign(plugin, std::move(settings));
    }
    return options;
}

void DisabledPlugins::disable(const std::string& plugin, const std::string& caller, Done done) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(loop_.clock().utc());
    if (disabled_.try_emplace(plugin, checkpoint::Disabled{now, caller}).second)
        log_.info("[PLUGIN-DISABLING] Plugin is unloaded until it is enabled. plugin={} by=[{}]", plugin,
                  caller);
    save(plugin, plugin + " is disabled", std::move(done));
}

void DisabledPlugins::enable(const std::string& plugin, const std::string& caller, Done done) {
    if (disabled_.erase(plugin) > 0)
        log_.info("[PLUGIN-ENABLING] Plugin may be loaded again. plugin={} by=[{}]", plugin, caller);
    save(plugin, plugin + " is enabled", std::move(done));
}

void DisabledPlugins::save(const std::string& plugin, std::string said, Done done) {
    const auto row = disabled_.find(plugin);
    checkpoint::Batch batch;
    batch.set_disabled(plugin, row == disabled_.end() ? std::nullopt : std::optional(row->second));
    const auto ticket = store_.apply(std::move(batch), checkpoint::Urgency::settled);
    store_.when_saved(ticket, [&loop = loop_, said = std::move(said), done = std::move(done)](bool durable) {
        loop.post([said, done, durable] {
            if (durable) return done(said);
            done(fail(Cause::internal, "{}, but the disk refuses to keep that for now", said));
        });
    });
}

void DisabledPlugins::explain(std::vector<admin::PluginView>& plugins) const {
    for (auto& view : plugins) {
        const auto row = disabled_.find(view.plugin);
        if (row == disabled_.end()) continue;
        const auto since = checkpoint::Instant::clock::to_time_t(row->second.since);
        view.why = fmt::format("since {:%Y-%m-%d %H:%M:%S} UTC, by {}", fmt::gmtime(since), row->second.by);
    }
}

}  // namespace sg::service
