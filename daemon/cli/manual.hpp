#pragma once
// The manual pages, made of what the command line takes: the help and they cannot differ.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sg::cli {

/// `sgeventd manual DIRECTORY`: writes sgeventd.1 and a page for each command into it, as troff. Returns the
/// exit code: 64 where no directory is named, 74 where one cannot be written.
int write_manual(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace sg::cli
