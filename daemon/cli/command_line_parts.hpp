#pragma once
// What the sources of the command line share.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/output.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

/// Remembers what to do once everything has been parsed.
struct Chosen {
    std::function<service::ExitCode()> command;
};

/// A command that refuses what it does not know.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help);

void add_output(CLI::App& command, Output& output);

/// `--config`, which is needed unless the environment names one.
void add_config(CLI::App& command, std::filesystem::path& config);

void add_replay(CLI::App& app, Chosen& chosen);
void add_record(CLI::App& app, Chosen& chosen);
void add_tail(CLI::App& app, Chosen& chosen);
void add_status(CLI::App& app, Chosen& chosen);
void add_reload(CLI::App& app, Chosen& chosen);
void add_plugins(CLI::App& app, Chosen& chosen);
void add_poll(CLI::App& app, Chosen& chosen);
void add_log_level(CLI::App& app, Chosen& chosen);

}  // namespace sg::cli
