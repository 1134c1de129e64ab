#pragma once
// The table of everything that can be configured.

#include <functional>
#include <string>
#include <vector>

#include "config/values.hpp"

namespace sg::config {

/// One row. Type and default are those of the member that `slot` points at.
struct Key {
    std::string name;  ///< "site.poll_interval"; a `*` stands for a name the operator chooses
    std::function<Slot(Config&, const std::string& chosen)> slot;  ///< makes the section if it is absent
    std::string help;
    Range range = {};
    bool required = false;
};

/// All keys, in the order in which they are shown. Validation, suggestions and `check-config --show`
/// read this table, and a test compares `config/sgeventd.yaml` with it.
const std::vector<Key>& keys();

/// The names that the operator chose where `pattern` has its `*` ("plugins.*.nice").
std::vector<std::string> chosen_names(const Config& config, std::string_view pattern);

}  // namespace sg::config
