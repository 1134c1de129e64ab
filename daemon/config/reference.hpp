#pragma once
// What can be configured, for people to read.

#include <string>

namespace sg::config {

/// Every key with its type, bounds, default and meaning, as tables in Markdown, a section each; from the
/// table that validates (`keys()`). A test compares docs/configuration.md with it.
std::string reference();

}  // namespace sg::config
