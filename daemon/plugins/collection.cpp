#include "plugins/collection.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <system_error>

namespace sg::plugins {
namespace {

namespace fs = std::filesystem;

/// Why `file` is not worth a try; empty if it is.
std::string why_not(const fs::path& file) {
    std::error_code error;
    const auto status = fs::status(file, error);
    if (!fs::exists(status)) return "a link to nothing";
    if (fs::is_directory(status)) return "a directory";
    if (!fs::is_regular_file(status)) return "not a regular file";
    if (fs::file_size(file, error) == 0) return "empty";
    std::array<char, 4> start{};
    std::ifstream in(file, std::ios::binary);
    if (!in) return "not readable";
    in.read(start.data(), start.size());
    if (start != std::array{'\x7f', 'E', 'L', 'F'}) return "not a shared library";
    return {};
}

}  // namespace

std::vector<FoundPlugin> find_plugins(const std::vector<fs::path>& collections, Logger& log) {
    std::vector<FoundPlugin> found;
    std::map<std::string, fs::path> by_id;
    for (const auto& collection : collections) {
        std::vector<std::string> names;
        std::error_code error;
        for (fs::directory_iterator at(collection, error), end; !error && at != end; at.increment(error))
            names.push_back(at->path().filename().string());
        if (error)
            log.error(
                "[COLLECTION-UNREADABLE] A plugin directory cannot be read; what was found in it runs. "
                "path={} why={}",
                collection.string(), error.message());
        std::sort(names.begin(), names.end());
        for (const auto& name : names) {
            if (name.starts_with('.') || fs::path(name).extension() != ".so") continue;
            const auto file = fs::absolute(collection / name);
            if (const auto why = why_not(file); !why.empty()) {
                log.warning("[PLUGIN-SKIPPED] Not a plugin; skipped. file={} why={}", file.string(), why);
                continue;
            }
            const auto id = fs::path(name).stem().string();
            if (const auto [first, is_new] = by_id.emplace(id, file); !is_new) {
                log.error(
                    "[PLUGIN-TWICE] Two files have the same plugin id; the first one runs. id={} runs={} "
                    "ignored={}",
                    id, first->second.string(), file.string());
                continue;
            }
            found.push_back({id, file});
        }
    }
    return found;
}

}  // namespace sg::plugins
