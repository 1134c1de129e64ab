#pragma once
// The files of a new plugin's project, inside the program.

#include <span>
#include <string_view>

namespace sg::cli {

/// In both texts `__NAME__` stands for the plugin's name.
struct ProjectFile {
    std::string_view path, text;
    bool is_program;
};

std::span<const ProjectFile> project_files();

}  // namespace sg::cli
