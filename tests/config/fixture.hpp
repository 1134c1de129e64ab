#pragma once
// A configuration file of the test's own.

#include <fstream>
#include <map>

#include "config/load.hpp"
#include "temp_dir.hpp"

namespace sg::test {

class ConfigFile {
public:
    /// The least that is a whole configuration; line 12 is the first free one.
    static constexpr const char* least = R"(site:
  url: https://studio.example.com
  credential: daemon
credentials:
  daemon:
    script: sgeventd
    key: first-secret
  other:
    script: other
    key: second-secret
collections: [plugins]
)";

    std::filesystem::path write(const std::string& text, const std::string& name = "c.yaml") {
        std::ofstream(dir_ / name, std::ios::binary) << text;
        return dir_ / name;
    }
    tl::expected<config::Loaded, std::vector<config::Problem>> load(const std::string& text) {
        return config::load(write(text), [this](const std::string& variable) {
            asked.push_back(variable);
            const auto at = environment.find(variable);
            return at == environment.end() ? std::nullopt : std::optional(at->second);
        });
    }
    /// All problems as they are printed, the directory cut off; empty if there are none.
    std::string problems(const std::string& text) {
        const auto loaded = load(text);
        std::string out;
        if (!loaded)
            for (auto problem : loaded.error()) {
                problem.file = "c.yaml";
                out += problem.to_string() + "\n";
            }
        return out;
    }
    const std::filesystem::path& directory() const { return dir_.path(); }

    std::map<std::string, std::string> environment;
    std::vector<std::string> asked;

private:
    TempDir dir_;
};

}  // namespace sg::test
