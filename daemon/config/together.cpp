#include "config/together.hpp"

#include <algorithm>
#include <map>

namespace sg::config {
namespace {

using std::filesystem::path;

/// What a daemon must have to itself: the key, and the value that no other may have.
std::vector<std::pair<std::string, std::string>> own_places(const Config& config) {
    std::vector<std::pair<std::string, std::string>> places{
        {"state_dir", config.state_dir.lexically_normal().string()},
        {"cache_dir", config.cache_dir.lexically_normal().string()},
        {"admin.socket", config.admin_socket().lexically_normal().string()}};
    if (!config.log.file.empty())
        places.emplace_back("log.file", config.log.file.lexically_normal().string());
    if (!config.pid_file.empty())
        places.emplace_back("pid_file", config.pid_file.lexically_normal().string());
    const auto add_port = [&](const char* key, const std::string& address) {
        if (!address.empty() && !address.ends_with(":0")) places.emplace_back(key, address);
    };
    add_port("admin.address", config.admin.address);
    add_port("webhook.address", config.webhook.address);
    return places;
}

std::vector<Problem> clashes(const std::vector<path>& files, const std::vector<Loaded>& loaded) {
    std::vector<Problem> problems;
    std::map<std::string, std::size_t> claimed;  // by whose file
    for (std::size_t i = 0; i < loaded.size(); ++i)
        for (const auto& [key, place] : own_places(loaded[i].config)) {
            const auto [at, is_free] = claimed.emplace(place, i);
            if (is_free || at->second == i) continue;
            problems.push_back(
                {files[i].string(), 0, 0, key,
                 place + " is used by " + files[at->second].string() + " too; each site needs its own"});
        }
    return problems;
}

}  // namespace

tl::expected<std::vector<Loaded>, std::vector<Problem>> load_together(const std::vector<path>& files,
                                                                      const Environment& environment) {
    std::vector<Loaded> all;
    std::vector<Problem> problems;
    for (const auto& file : files) {
        auto loaded = load(file, environment);
        if (loaded)
            all.push_back(std::move(*loaded));
        else
            problems.insert(problems.end(), loaded.error().begin(), loaded.error().end());
    }
    if (problems.empty()) problems = clashes(files, all);
    if (!problems.empty()) return tl::unexpected(std::move(problems));
    return all;
}

std::vector<std::string> site_names(const std::vector<path>& files) {
    if (files.size() == 1) return {""};
    std::vector<std::string> names;
    for (const auto& file : files) names.push_back(file.stem().string());
    auto sorted = names;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        std::transform(files.begin(), files.end(), names.begin(),
                       [](const path& file) { return file.string(); });
    return names;
}

}  // namespace sg::config
