#pragma once
// What the sources of the command line share.

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/output.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

using service::ExitCode;

struct ExitMeaning {
    ExitCode code;
    const char* what;
};
/// As the help and the manual pages list them.
inline constexpr ExitMeaning exit_codes[] = {
    {ExitCode::ok, "fine"},
    {ExitCode::usage, "usage"},
    {ExitCode::data, "unusable input"},
    {ExitCode::unavailable, "the site (strict start) or the daemon cannot be reached"},
    {ExitCode::bug, "a bug of ours"},
    {ExitCode::state_refused, "damaged state"},
    {ExitCode::io, "the disk refused"},
    {ExitCode::locked, "another daemon holds the state"},
    {ExitCode::not_allowed, "the site does not allow it"},
    {ExitCode::config, "configuration"},
    {ExitCode::interrupted, "a second signal"},
};

/// Remembers what to do once everything has been parsed.
struct Chosen {
    std::function<ExitCode()> command;
};

/// A command that refuses what it does not know.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help);

/// An option, or a positional argument, that takes one of these words: `text|json` in the help.
template <class Value>
CLI::Option* add_choice(CLI::App& command, const std::string& name, Value& value,
                        const std::vector<std::pair<std::string, Value>>& choices, const std::string& help) {
    std::vector<std::string> words;
    for (const auto& [word, meaning] : choices) words.push_back(word);
    return command
        .add_option_function<std::string>(
            name,
            [&value, choices](const std::string& chosen) {
                for (const auto& [word, meaning] : choices)
                    if (word == chosen) value = meaning;
            },
            help)
        ->check(CLI::IsMember(words).description(""))
        ->type_name(CLI::detail::join(words, "|"));
}

/// An option that takes a number of seconds, from one to a day's, into something that can be set to a
/// duration.
template <class Duration>
CLI::Option* add_seconds(CLI::App& command, const std::string& name, Duration& value,
                         const std::string& help) {
    return command
        .add_option_function<unsigned>(
            name, [&value](unsigned n) { value = std::chrono::seconds(n); }, help)
        ->check(CLI::Range(1U, 86'400U).description(""))
        ->type_name("N");
}

void add_output(CLI::App& command, Output& output);

/// `--config`, which is needed unless the environment names one.
void add_config(CLI::App& command, std::filesystem::path& config);

/// The same for several, each that of a site, in one process; not needed unless the caller says so.
CLI::Option* add_configs(CLI::App& command, std::vector<std::filesystem::path>& configs);

void add_replay(CLI::App& app, Chosen& chosen);
void add_explain(CLI::App& app, Chosen& chosen);
void add_record(CLI::App& app, Chosen& chosen);
void add_tail(CLI::App& app, Chosen& chosen);
void add_status(CLI::App& app, Chosen& chosen);
void add_reload(CLI::App& app, Chosen& chosen);
void add_plugins(CLI::App& app, Chosen& chosen);
void add_poll(CLI::App& app, Chosen& chosen);
void add_log_level(CLI::App& app, Chosen& chosen);

}  // namespace sg::cli
