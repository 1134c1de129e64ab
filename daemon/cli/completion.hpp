#pragma once
// What could stand where a person presses Tab: the shells' scripts in completions/ ask the program itself.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sg::cli {

/// `sgeventd complete WORD…`: what stands after the program's name, the last word being the one at the
/// cursor, maybe empty. Prints a line for each candidate that begins with it, the word, a tab and its help;
/// and `:files` where a file can stand. Names of plugins come from the daemon that --config, --socket or the
/// environment names, if it runs. Returns the exit code, 0.
int print_candidates(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace sg::cli
