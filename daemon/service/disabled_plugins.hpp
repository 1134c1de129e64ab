#pragma once
// Plugins that somebody disabled while the daemon ran, which counts until they are enabled again.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "admin/snapshot.hpp"
#include "checkpoint/store.hpp"
#include "plugins/plugin_set.hpp"
#include "util/loop.hpp"

namespace sg::service {

/// Kept in the state, so that the configuration need not be written to.
///
/// Threads:  the loop's only.
/// Lifetime: outlived by store, loop and log.
class DisabledPlugins {
public:
    DisabledPlugins(checkpoint::Store& store, Loop& loop, Logger& log);

    /// What the configuration wants, but for these.
    plugins::PluginSetOptions applied(plugins::PluginSetOptions options) const;

    /// Told once, on the loop, when it is durable. Errors: `internal`, where the disk refuses: it counts now,
    /// and may be forgotten.
    using Done = std::function<void(Result<std::string>)>;
    void disable(const std::string& plugin, const std::string& caller, Done done);
    void enable(const std::string& plugin, const std::string& caller, Done done);

    /// Says of those that are disabled since when and by whom.
    void explain(std::vector<admin::PluginView>& plugins) const;

private:
    void save(const std::string& plugin, std::string said, Done done);

    checkpoint::Store& store_;
    Loop& loop_;
    Logger& log_;
    std::map<std::string, checkpoint::Disabled> disabled_;
};

}  // namespace sg::service
