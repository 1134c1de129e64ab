#pragma once
// What is different between two configurations, and what a running daemon can take over.

#include <string>
#include <vector>

#include "config/config.hpp"

namespace sg::config {

struct Change {
    std::string key;       ///< full name, as in the file
    std::string text;      ///< "info, now debug"; empty where a value may be secret or is long
    bool at_once = false;  ///< a running daemon takes it over; otherwise it waits for the next start
};

/// In the order of the table of keys. A section that is new or gone counts by what it changes: a plugin
/// without one has the values of `plugin_defaults`.
std::vector<Change> changes(const Config& before, const Config& after);

/// `running` with everything of `fresh` that can be taken over.
Config taken_over(const Config& running, const Config& fresh);

}  // namespace sg::config
