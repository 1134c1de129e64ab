// sgeventd new-plugin

#include "cli/new_plugin_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "cli/project_files.hpp"

namespace sg::cli {
namespace {

namespace fs = std::filesystem;

/// What C++ and CMake take as a name, and nobody else has.
bool is_plugin_name(const std::string& name) {
    constexpr std::array taken{"all",     "clean",   "depend",        "edit_cache", "help",
                               "install", "package", "rebuild_cache", "test"};
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto fits = [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && name.size() <= 60 && is_lower(name.front()) &&
           std::all_of(name.begin(), name.end(), fits) &&
           std::find(taken.begin(), taken.end(), name) == taken.end();
}

std::string filled_in(std::string_view text, const std::string& name) {
    constexpr std::string_view mark = "__NAME__";
    std::string out(text);
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + name.size()))
        out.replace(at, mark.size(), name);
    return out;
}

bool write(const fs::path& file, const std::string& text, bool is_program) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    if (!out) return false;
    std::error_code error;
    if (is_program)
        fs::permissions(file, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                        fs::perm_options::add, error);
    return !error;
}

ExitCode not_made(ExitCode code, const std::string& what) {
    fmt::print(stderr, "sgeventd: {}\n", what);
    return code;
}

}  // namespace

ExitCode new_plugin_command(const NewPluginOptions& options) {
    if (!is_plugin_name(options.name))
        return not_made(ExitCode::usage,
                        fmt::format("'{}' cannot be a plugin's name: lower-case letters, digits "
                                    "and _, beginning with a letter",
                                    options.name));
    const auto directory = options.directory.empty() ? fs::path(options.name) : options.directory;
    std::error_code error;
    if (!fs::create_directory(directory, error))
        return not_made(ExitCode::io, fmt::format("cannot make {}: {}", directory.string(),
                                                  error ? error.message() : "it is there already"));
    for (const auto& file : project_files()) {
        const auto path = directory / filled_in(file.path, options.name);
        if (!write(path, filled_in(file.text, options.name), file.is_program))
            return not_made(ExitCode::io,
                            fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
        fmt::print("{}\n", path.string());
    }
    fmt::print(
        "\nTo build and test it:\n\n  cd {}\n  cmake -B build && cmake --build build && ctest --test-dir "
        "build\n",
        directory.string());
    return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
}

}  // namespace sg::cli
