// The part of the command line that speaks to a running daemon.
#include "cli/command_line_parts.hpp"
#include "cli/control_command.hpp"
#include "cli/plugins_command.hpp"

namespace sg::cli {

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help) {
    auto* command = app.add_subcommand(name, help);
    command->allow_extras(false);  // inherited otherwise, and then a wrong option would be ignored
    return command;
}

void add_output(CLI::App& command, Output& output) {
    add_choice<Output>(command, "--output", output, {{"text", Output::text}, {"json", Output::json}},
                       "default: text");
}

namespace {

void add_control_options(CLI::App& command, ControlOptions& options) {
    auto* config = command.add_option("--config", options.config, "the daemon's configuration file")
                       ->envname("SGEVENTD_CONFIG")
                       ->type_name("FILE");
    command.add_option("--socket", options.socket, "or its socket")->type_name("PATH")->excludes(config);
    add_output(command, options.output);
}

}  // namespace

void add_status(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "status", "How the running daemon and its plugins are");
    const auto options = std::make_shared<ControlOptions>();
    add_control_options(*command, *options);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return status_command(*options); }; });
}

void add_reload(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "reload", "Load a plugin anew, or every one");
    const auto options = std::make_shared<ReloadOptions>();
    add_control_options(*command, options->control);
    command->add_option("PLUGIN", options->plugin, "default: every plugin")->type_name("");
    command->callback(
        [&chosen, options] { chosen.command = [options] { return reload_command(*options); }; });
}

void add_plugins(CLI::App& app, Chosen& chosen) {
    using Act = PluginsOptions::Act;
    auto* group = add_command(app, "plugins", "Look at the plugins of the running daemon, and steer them");
    group->require_subcommand(1);
    const struct {
        const char* name;
        Act act;
        const char* help;
    } acts[] = {{"list", Act::list, "A line for each"},
                {"pause", Act::pause, "Hand it nothing, also after a restart; its events wait"},
                {"resume", Act::resume, "Hand it what has waited, and go on"},
                {"seek", Act::seek, "Go on at another place in the stream"},
                {"skip", Act::skip, "Let go of the event that a halted plugin stands at"},
                {"retry", Act::retry, "Try what it failed on again at once"},
                {"disable", Act::disable, "Unload it, also after a restart; it keeps its place"},
                {"enable", Act::enable, "Load it again"}};
    for (const auto& [name, act, help] : acts) {
        auto* command = add_command(*group, name, help);
        const auto options = std::make_shared<PluginsOptions>();
        options->act = act;
        if (act != Act::list)
            command->add_option("PLUGIN", options->plugin, "its name")->required()->type_name("");
        if (act == Act::seek)
            command
                ->add_option(
                    "PLACE", options->to,
                    "what it gets next: an event's id, a time as 2026-03-04T05:06:07Z, latest or earliest")
                ->required()
                ->type_name("");
        add_control_options(*command, options->control);
        if (act != Act::list)
            add_seconds(*command, "--timeout", options->timeout, "seconds it is waited for; default 30");
        command->callback(
            [&chosen, options] { chosen.command = [options] { return plugins_command(*options); }; });
    }
    auto* command = add_command(*group, "reload", "Load it anew, changed or not");
    const auto options = std::make_shared<ReloadOptions>();
    command->add_option("PLUGIN", options->plugin, "its name")->required()->type_name("");
    add_control_options(*command, options->control);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return reload_command(*options); }; });
}

void add_poll(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "poll", "Let the running daemon look for events at once");
    const auto options = std::make_shared<PollOptions>();
    add_control_options(*command, options->control);
    auto* wait = command->add_flag("--wait", options->wait, "return when what there is has been delivered");
    add_seconds(*command, "--timeout", options->timeout, "seconds; default 60")->needs(wait);
    command->callback([&chosen, options] { chosen.command = [options] { return poll_command(*options); }; });
}

void add_log_level(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "log-level", "Let the running daemon, or a plugin, log more or less");
    const auto options = std::make_shared<LogLevelOptions>();
    std::vector<std::pair<std::string, std::string>> levels;
    for (const auto* level : {"trace", "debug", "info", "warning", "error"})
        levels.emplace_back(level, level);
    add_choice(*command, "LEVEL", options->level, levels, "what is less than this is not logged")->required();
    command->add_option("PLUGIN", options->plugin, "default: the daemon's own lines")->type_name("");
    add_control_options(*command, options->control);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return log_level_command(*options); }; });
}

}  // namespace sg::cli
