#pragma once
// Why an event did nothing for a plugin.

#include <filesystem>
#include <sg/types.hpp>
#include <string>

#include "cli/output.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

struct ExplainOptions {
    std::filesystem::path config;
    EventId event = 0;
    std::string plugin;
    Output output = Output::text;
};

/// `explain`: what the running daemon knows of the two, or its state where none runs; the event as the site
/// has it; and which callbacks want it, as the plugin is now. Nothing is called or changed. 0 also where the
/// site does not answer or the plugin cannot be loaded, which is said; 65 where nobody knows the plugin.
service::ExitCode explain_command(const ExplainOptions& options);

}  // namespace sg::cli
