#pragma once
// Whether what the configuration says of the status page makes sense.

#include <functional>
#include <string>

#include "config/load.hpp"

namespace sg::config {

/// Reads the file that holds the page's token, unless secrets are left. `given` says which keys the file has;
/// `problem` is told of the key that is wrong, and how. Blocks on the disk.
void check_admin(Config& config, const std::function<bool(const std::string& full)>& given, Secrets secrets,
                 const std::function<void(const std::string& full, std::string text)>& problem);

}  // namespace sg::config
