#pragma once
// The old daemon's language, for files as it writes them.

#include "e2e/process.hpp"
#include "temp_dir.hpp"

namespace sg::test {

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// Runs a script of this folder.
inline Ran python(const std::filesystem::path& scratch, const std::string& script,
                  std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {SG_PYTHON, std::string(SG_SCRIPTS) + "/" + script});
    return run_to_end(arguments, scratch);
}

}  // namespace sg::test
