#pragma once
// A plugin's arguments: any YAML, as JSON.

#include <functional>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "util/result.hpp"

namespace YAML {
class Node;
}

namespace sg::config {

/// Resolves a scalar that is a `${NAME}` reference; nullopt for any other text.
using Resolve = std::function<std::optional<Result<std::string>>(const std::string& text)>;

/// Plain scalars become null, booleans and numbers where they look like it, quoted ones always text.
/// Bounded in depth and size, because aliases can make a short file stand for an endless one.
Result<Arguments> read_arguments(const YAML::Node& node, const Resolve& resolve);

/// What events have about them, in the form of `EventTraits::from_json`; no references.
Result<EventTraits> read_traits(const YAML::Node& node);

}  // namespace sg::config
