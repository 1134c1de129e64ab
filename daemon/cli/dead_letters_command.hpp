#pragma once
// What can be done with events that were given up.

#include <filesystem>
#include <optional>
#include <sg/types.hpp>
#include <string>

#include "cli/output.hpp"
#include "service/exit_code.hpp"

namespace sg::cli {

/// `dead-letters`: asks the daemon that runs; where none does, works on its state directory.
struct DeadLettersOptions {
    enum class Act { list, show, retry, drop, export_all } act = Act::list;
    std::filesystem::path config;
    std::string plugin;            ///< empty: of every one
    std::optional<EventId> event;  ///< nullopt: every one
    std::string callback;          ///< empty: of every one
    bool all = false;              ///< `retry` and `drop` need a choice, or this
    Output output = Output::text;
};
service::ExitCode dead_letters_command(const DeadLettersOptions& options);

}  // namespace sg::cli
