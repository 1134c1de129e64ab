#include "config/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/keys.hpp"

namespace sg::config {
namespace {

/// "site", "alerts.mail", "plugins.NAME"; empty for a key that stands alone.
std::string section_of(const std::string& key) {
    auto section = key.substr(0, key.find_last_of('.') == std::string::npos ? 0 : key.find_last_of('.'));
    if (const auto star = section.find('*'); star != std::string::npos) section.replace(star, 1, "NAME");
    return section;
}

/// What stands between two bars of a table may have none.
std::string cell(std::string text) {
    for (auto at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
        text.insert(at, "\\");
    return text;
}

std::string row(const Key& key, Config& defaults) {
    const auto slot = key.slot(defaults, "NAME");
    const auto bounds = range_text(slot, key.range);
    const auto value = to_text(slot);
    std::string fallback = "not set";
    if (key.required)
        fallback = "required";
    else if (!value.empty() && value != "null")
        fallback = "`" + value + "`";
    return fmt::format("| `{}` | {}{} | {} | {} |\n", key.name.substr(key.name.rfind('.') + 1),
                       type_name(slot), bounds.empty() ? "" : ", " + bounds, fallback, cell(key.help));
}

}  // namespace

std::string reference() {
    // Keys that stand alone come first; sections follow in the order of the table.
    std::vector<std::string> order{""};
    std::map<std::string, std::string> rows;
    Config defaults;
    for (const auto& key : keys()) {
        // The same as under plugin_defaults.
        if (key.name.starts_with("plugins.*.")) continue;
        const auto section = section_of(key.name);
        if (std::find(order.begin(), order.end(), section) == order.end()) order.push_back(section);
        rows[section] += row(key, defaults);
    }
    std::string out;
    for (const auto& section : order) {
        const auto title = section.empty() ? "At the top" : "`" + section + "`";
        out += fmt::format("{}## {}\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n{}",
                           out.empty() ? "" : "\n", title, rows[section]);
        if (section == "plugin_defaults")
            out += "\nThe same keys may stand under `plugins.NAME`, for the plugin of that file name.\n";
    }
    return out;
}

}  // namespace sg::config
