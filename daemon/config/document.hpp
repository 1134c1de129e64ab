#pragma once
// From text to the one YAML document it should hold.

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>

namespace sg::config {

/// The map that `text` holds as its only document; nothing if there is none. Whatever is wrong is told to
/// `report` with the place where it stands. Ends for every text, in time and memory in proportion to it.
std::optional<YAML::Node> only_document(
    const std::string& text, const std::function<void(const YAML::Mark& at, std::string what)>& report);

}  // namespace sg::config
