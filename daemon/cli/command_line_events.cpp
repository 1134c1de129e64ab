// The commands that look at events: what they take.

#include "cli/command_line_parts.hpp"
#include "cli/explain_command.hpp"
#include "cli/follow_command.hpp"
#include "cli/replay_command.hpp"

namespace sg::cli {
namespace {

void add_count(CLI::App& command, std::optional<std::size_t>& most) {
    command.add_option("--count", most, "end after so many events")
        ->check(CLI::PositiveNumber.description(""))
        ->type_name("N");
}

void add_since(CLI::App& command, std::optional<EventId>& since) {
    command
        .add_option("--since", since,
                    "begin with the first event above this id; default: with what comes from now on")
        ->check(CLI::NonNegativeNumber.description(""))
        ->type_name("ID");
}

}  // namespace

void add_replay(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "replay", "Show what plugins would do with events of the past");
    const auto options = std::make_shared<ReplayCommandOptions>();
    add_config(*command, options->config);
    auto* ids =
        command->add_option("IDS", options->ids, "of events: 101, or 101-120; again for more")->type_name("");
    auto* file =
        command
            ->add_option("--file", options->file,
                         "events of a file, as record or dead-letters export writes it; - is standard input")
            ->type_name("FILE")
            ->excludes(ids);
    auto* since =
        command
            ->add_option("--since", options->since,
                         "events created then or later: 2026-03-04T05:06:07Z, 2026-03-04 or, for two "
                         "hours ago, 2h")
            ->type_name("TIME")
            ->excludes(ids)
            ->excludes(file);
    command->add_option("--until", options->until, "with --since: and before then")
        ->type_name("TIME")
        ->needs(since);
    command
        ->add_option("--plugin", options->replay.plugins, "of the collections; again for more; default: all")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_option("--library", options->replay.libraries, "a plugin by its file; again for more")
        ->type_name("FILE")
        ->allow_extra_args(false);
    auto* execute = command->add_flag("--execute", options->replay.execute,
                                      "call the callbacks; what they would change is shown, not made");
    command->add_flag("--write", options->replay.write, "with --execute: what they would change is made")
        ->needs(execute);
    command->add_flag("--all", options->show_all, "show the callbacks that do not want an event, and why");
    add_output(*command, options->output);
    command->callback([&chosen, options, ids, file, since] {
        if (ids->empty() && file->empty() && since->empty())
            throw CLI::RequiredError("IDS, --since or --file");
        chosen.command = [options] { return replay_command(*options); };
    });
}

void add_explain(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "explain", "Say why an event did what it did, or nothing, for a plugin");
    const auto options = std::make_shared<ExplainOptions>();
    command->add_option("EVENT", options->event, "its id")
        ->required()
        ->check(CLI::PositiveNumber.description(""))
        ->type_name("");
    command->add_option("PLUGIN", options->plugin, "its name")->required()->type_name("");
    add_config(*command, options->config);
    add_output(*command, options->output);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return explain_command(*options); }; });
}

void add_record(CLI::App& app, Chosen& chosen) {
    auto* command =
        add_command(app, "record", "Write the site's events to a file as they come, until Ctrl-C");
    const auto options = std::make_shared<RecordOptions>();
    add_config(*command, options->config);
    command->add_option("FILE", options->file, "what they are added to; - is standard output")
        ->required()
        ->type_name("");
    add_since(*command, options->follow.since);
    add_count(*command, options->follow.most);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return record_command(*options); }; });
}

void add_tail(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "tail", "Show the site's events as they come, until Ctrl-C");
    const auto options = std::make_shared<TailOptions>();
    add_config(*command, options->config);
    command->add_option("--type", options->types, "only of this type (Shotgun_Task_Change); again for more")
        ->type_name("TYPE")
        ->allow_extra_args(false);
    command->add_option("--project", options->projects, "only of the project with this id; again for more")
        ->type_name("ID")
        ->allow_extra_args(false);
    add_since(*command, options->follow.since);
    add_count(*command, options->follow.most);
    add_output(*command, options->output);
    command->callback([&chosen, options] { chosen.command = [options] { return tail_command(*options); }; });
}

}  // namespace sg::cli
