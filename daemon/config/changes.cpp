// Walks the table of keys over two configurations.

#include "config/changes.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "config/keys.hpp"

namespace sg::config {
namespace {

/// Sections, and single keys, that a running daemon takes over; what a plugin's host gets, its next one does.
constexpr std::array<std::string_view, 9> taken{"plugin_defaults.", "plugins.",     "log.level",
                                                "log.keep",         "log.compress", "alerts.level",
                                                "alerts.mail.to",   "retries.",     "drain_time"};

/// Credentials are held by the connections to the site, which stay; so do lanes, which know their order.
bool is_taken_over(std::string_view pattern) {
    if (pattern.ends_with(".credential") || pattern.ends_with(".strict_order")) return false;
    return std::any_of(taken.begin(), taken.end(), [&](auto start) { return pattern.starts_with(start); });
}

/// Everything that counts, secrets included: to compare, never to show.
std::string whole(const Slot& slot) {
    if (const auto* secret = std::get_if<Secret*>(&slot)) return (*secret)->value + "\n" + (*secret)->shown;
    if (const auto* arguments = std::get_if<Arguments*>(&slot)) return (*arguments)->json;
    if (const auto* list = std::get_if<std::vector<std::filesystem::path>*>(&slot)) {
        std::string out;
        for (const auto& path : **list) out += path.string() + "\n";
        return out;
    }
    return to_text(slot);
}

bool is_shown(const Slot& slot) {
    return !std::holds_alternative<Secret*>(slot) && !std::holds_alternative<Arguments*>(slot) &&
           !std::holds_alternative<std::vector<std::filesystem::path>*>(slot);
}

void keep(PluginSettings& to, const PluginSettings& from) {
    to.credential = from.credential;
    to.strict_order = from.strict_order;
}

std::string or_none(const std::string& text) { return text.empty() ? "none" : text; }

}  // namespace

std::vector<Change> changes(const Config& before, const Config& after) {
    Config old = before, fresh = after;  // a slot makes the section that is absent
    std::vector<Change> out;
    for (const auto& key : keys()) {
        const auto star = key.name.find('*');
        std::set<std::string> names{""};
        if (star != std::string::npos) {
            const auto a = chosen_names(old, key.name), b = chosen_names(fresh, key.name);
            names = {a.begin(), a.end()};
            names.insert(b.begin(), b.end());
        }
        for (const auto& name : names) {
            const auto was = key.slot(old, name), is = key.slot(fresh, name);
            if (whole(was) == whole(is)) continue;
            auto full = key.name;
            if (star != std::string::npos) full.replace(star, 1, name);
            out.push_back({full, is_shown(is) ? or_none(to_text(was)) + ", now " + or_none(to_text(is)) : "",
                           is_taken_over(key.name)});
        }
    }
    return out;
}

Config taken_over(const Config& running, const Config& fresh) {
    Config out = running;
    out.plugin_defaults = fresh.plugin_defaults;
    keep(out.plugin_defaults, running.plugin_defaults);
    out.plugins = fresh.plugins;
    for (auto& [name, plugin] : out.plugins) keep(plugin, running.of(name));
    // A plugin that had a section of its own keeps these of it.
    for (const auto& [name, plugin] : running.plugins)
        if (fresh.plugins.count(name) == 0)
            keep(out.plugins.emplace(name, fresh.plugin_defaults).first->second, plugin);
    out.log.level = fresh.log.level;
    out.log.keep = fresh.log.keep;
    out.log.compress = fresh.log.compress;
    out.alerts.level = fresh.alerts.level;
    out.alerts.mail.to = fresh.alerts.mail.to;
    out.retries = fresh.retries;
    out.drain_time = fresh.drain_time;
    return out;
}

}  // namespace sg::config
