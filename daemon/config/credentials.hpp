#pragma once
// Whether a credential of the configuration is one.

#include <functional>
#include <string>

#include "config/load.hpp"

namespace sg::config {

/// Reads the files that hold secrets, unless those are left. `given` says which keys of the section the file
/// has; `problem` is told of the key that is wrong (empty: the section) and how. Blocks on the disk.
void check_credential(Credential& credential, const std::function<bool(const std::string& key)>& given,
                      Secrets secrets,
                      const std::function<void(const std::string& key, std::string text)>& problem);

}  // namespace sg::config
