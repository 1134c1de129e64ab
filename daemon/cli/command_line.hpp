#pragma once
// From words on a command line to a command.

namespace sg::cli {

/// Runs the command that the arguments name and returns the exit code of the process.
int run_command_line(int argc, const char* const* argv);

}  // namespace sg::cli
