#pragma once
// Moving from shotgunEvents.

#include <filesystem>
#include <string>
#include <vector>

#include "legacy/old_config.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

using service::ExitCode;

struct ImportConfigOptions {
    std::filesystem::path old;     ///< shotgunEventDaemon.conf
    std::filesystem::path output;  ///< must not be there yet
    legacy::SecretsAs secrets = legacy::SecretsAs::files;
};
/// `import config`: 65 where the old file cannot be read, 78 where something has yet to be done by hand
/// before `check-config` is content, 0 otherwise.
ExitCode import_config_command(const ImportConfigOptions& options);

struct ImportPositionsOptions {
    std::filesystem::path old;
    std::filesystem::path config;
    std::vector<std::string> plugins;  ///< empty: every one
    std::vector<std::string> renamed;  ///< OLD=NEW
    bool dry_run = false;
};
/// `import positions`: into a state directory that holds nothing yet. 65 where the file is none or the
/// directory is in use for events already.
ExitCode import_positions_command(const ImportPositionsOptions& options);

}  // namespace sg::cli
