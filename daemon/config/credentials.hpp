#pragma once
// Whether a credential of the configuration is one.

#include <functional>
#include <string>

#include "config/load.hpp"
#include "util/result.hpp"

namespace sg::config {

/// The secret in a file, without the newline at its end. Blocks on the disk.
Result<Secret> secret_in(const std::filesystem::path& file);

/// Reads the files that hold secrets, unless those are left. `given` says which keys of the section the file
/// has; `problem` is told of the key that is wrong (empty: the section) and how. Blocks on the disk.
void check_credential(Credential& credential, const std::function<bool(const std::string& key)>& given,
                      Secrets secrets,
                      const std::function<void(const std::string& key, std::string text)>& problem);

}  // namespace sg::config
