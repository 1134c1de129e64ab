#pragma once
// A command of `sgeventd`, typed and read.

#include <filesystem>
#include <string>
#include <vector>

#include "e2e/daemon.hpp"

namespace sg::test {

/// What a command printed, and how it ended.
struct Said {
    Ended ended;
    std::string out, error;
};

inline Said say(const Home& home, std::vector<std::string> arguments) {
    const auto out = home.path() / "said.out", error = home.path() / "said.error";
    std::filesystem::remove(out);
    std::filesystem::remove(error);
    arguments.insert(arguments.begin(), SG_PROGRAM);
    Process process(arguments, {}, out, error);
    const auto ended = process.wait(std::chrono::seconds(60)).value_or(Ended{});
    return {ended, read_file(out), read_file(error)};
}

/// The same with the home's configuration.
inline Said command(const Home& home, std::vector<std::string> words) {
    words.insert(words.end(), {"--config", home.config_file().string()});
    return say(home, std::move(words));
}

/// What `status` says of a plugin; empty: nothing.
inline std::string shown_state(const Home& home, const std::string& plugin) {
    const auto said = command(home, {"status", "--output", "json"});
    const auto all = nlohmann::json::parse(said.out, nullptr, false);
    if (all.is_object())
        for (const auto& one : all.at("plugins"))
            if (one.at("plugin") == plugin) return one.at("state").get<std::string>();
    return {};
}

}  // namespace sg::test
