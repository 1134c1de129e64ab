#pragma once
// The files of the status page, inside the program.

#include <span>
#include <string_view>

namespace sg::admin {

struct PageFile {
    std::string_view path, type, text;
};

std::span<const PageFile> page_files();

}  // namespace sg::admin
