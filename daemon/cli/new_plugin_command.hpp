#pragma once
// A project to begin a plugin with.

#include <filesystem>
#include <string>

#include "service/exit_code.hpp"

namespace sg::cli {

using service::ExitCode;

struct NewPluginOptions {
    std::string name;
    std::filesystem::path directory;  ///< empty: one with the plugin's name, here
};

/// `new-plugin`: makes a directory that builds and tests a plugin of that name. 64 for a name that cannot be
/// one, 74 where the directory is there already or cannot be written.
ExitCode new_plugin_command(const NewPluginOptions& options);

}  // namespace sg::cli
