// The command line, but for the commands that speak to a running daemon (command_line_control.cpp).

#include "cli/command_line.hpp"

#include <fmt/format.h>

#include "cli/background_command.hpp"
#include "cli/command_line_parts.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/dead_letters_command.hpp"
#include "cli/import_command.hpp"
#include "cli/manual.hpp"
#include "cli/new_plugin_command.hpp"
#include "cli/sandbox_command.hpp"
#include "cli/site_command.hpp"
#include "util/nearest.hpp"

namespace sg::cli {
namespace {

std::string footer() {
    constexpr std::size_t widest = 100;
    std::string out, line = "Exit codes:";
    for (const auto& [code, what] : exit_codes) {
        const auto one =
            fmt::format(" {} {}{}", static_cast<int>(code), what, code == ExitCode::interrupted ? "." : ",");
        if (line.size() + one.size() > widest) out += std::exchange(line, "") + "\n";
        line += one;
    }
    return out + line;
}

void add_run(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "run", "Run the daemon in the foreground");
    const auto options = std::make_shared<RunOptions>();
    add_configs(*command, options->configs)->required();
    command->callback([&chosen, options] { chosen.command = [options] { return run_command(*options); }; });
}

constexpr const char* how_long = "seconds; default 120";

void add_start(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "start", "Run the daemon in the background; returns when it is ready");
    const auto options = std::make_shared<StartOptions>();
    add_configs(*command, options->configs)->required();
    add_seconds(*command, "--timeout", options->timeout, how_long);
    command->callback([&chosen, options] { chosen.command = [options] { return start_command(*options); }; });
}

void add_stop(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "stop", "Stop the daemon in order; returns when it has ended");
    const auto options = std::make_shared<StopOptions>();
    command->add_option("--config", options->config, "the daemon's configuration file")
        ->envname("SGEVENTD_CONFIG")
        ->type_name("FILE");
    command->add_option("--state-dir", options->state_dir, "or its state directory; no configuration is read")
        ->type_name("PATH");
    add_seconds(*command, "--timeout", options->timeout, how_long);
    command->callback([&chosen, options] { chosen.command = [options] { return stop_command(*options); }; });
}

void add_restart(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "restart", "Stop it, if it runs, and start it");
    const auto options = std::make_shared<StartOptions>();
    add_configs(*command, options->configs)->required();
    add_seconds(*command, "--timeout", options->timeout, how_long);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return restart_command(*options); }; });
}

void add_check_config(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "check-config", "Check a configuration file, all of it at once");
    const auto options = std::make_shared<CheckConfigOptions>();
    auto* config = add_configs(*command, options->configs);
    command->add_flag("--keys", options->keys, "print every key there is, its default and its meaning");
    command->add_flag("--show", options->show, "print the effective values, secrets masked");
    command->callback([&chosen, options, config] {
        if (!options->keys && config->empty()) throw CLI::RequiredError("--config");
        chosen.command = [options] { return check_config_command(*options); };
    });
}

void add_sandbox(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "sandbox", "A local site to try things on");
    const auto options = std::make_shared<SandboxOptions>();
    command->add_option("--address", options->address, "where it listens")->capture_default_str();
    command->add_option("--port", options->port, "0: the system picks one")->capture_default_str();
    command->add_option("--rate", options->rate, "changes per second that its people make; 0: an empty site")
        ->check(CLI::Range(0.0, 10'000.0).description(""))
        ->capture_default_str();
    command->add_option("--seed", options->seed, "the same seed plays the same production")
        ->capture_default_str();
    command
        ->add_option("--data", options->data,
                     "file that keeps the state, made if it is not there; default: in memory alone")
        ->type_name("FILE");
    command->add_option("--script", options->scripts,
                        "a script and its key, NAME=KEY; again for more; default sandbox=sandbox-key");
    command
        ->add_option("--schema", options->schema, "a file of types and fields instead of the built-in ones")
        ->check(CLI::ExistingFile.description(""))
        ->type_name("FILE");
    command
        ->add_option("--time-zone", options->time_zone,
                     "what day it is for date fields, as CET-1CEST,M3.5.0,M10.5.0/3")
        ->capture_default_str();
    command->add_option("--webhook", options->webhook, "URL that is told of each event");
    auto* file = command
                     ->add_option("--webhook-token-file", options->webhook_token_file,
                                  "file whose first line signs what is told")
                     ->type_name("FILE");
    command
        ->add_option("--webhook-token-env", options->webhook_token_env,
                     "the same, an environment variable's name")
        ->excludes(file);
    command->add_flag("--legacy-uploads", options->legacy_uploads,
                      "files go through the site, not to its storage");
    command->add_flag("--quiet", options->quiet, "no line per change");
    command->callback([&chosen, options] {
        chosen.command = [options] { return static_cast<ExitCode>(run_sandbox(*options)); };
    });
}

void add_demo(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "demo", "A sandbox site and a daemon side by side, to watch");
    const auto options = std::make_shared<DemoOptions>();
    add_seconds(*command, "--seconds", options->seconds,
                "end by itself after so long, with a summary; exit code 0 if nothing was missed");
    command->callback([&chosen, options] { chosen.command = [options] { return demo_command(*options); }; });
}

void add_new_plugin(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "new-plugin", "Make a project that builds and tests a plugin");
    const auto options = std::make_shared<NewPluginOptions>();
    command->add_option("NAME", options->name, "lower-case letters, digits and _")->required()->type_name("");
    command
        ->add_option("--directory", options->directory,
                     "what is made; default: a directory of that name, here")
        ->type_name("PATH");
    command->callback(
        [&chosen, options] { chosen.command = [options] { return new_plugin_command(*options); }; });
}

void add_site_options(CLI::App& command, SiteOptions& options) {
    add_config(command, options.config);
    command.add_option("--credential", options.credential, "of the configuration; default: the daemon's own")
        ->type_name("NAME");
}

void add_upload(CLI::App& site, Chosen& chosen) {
    auto* command = add_command(site, "upload", "Send a file to an entity; prints the attachment's id");
    const auto options = std::make_shared<UploadOptions>();
    add_site_options(*command, options->site);
    command->add_option("ENTITY", options->entity, "TYPE:ID, such as Version:42")->required()->type_name("");
    command->add_option("FILE", options->file, "what is sent")->required()->type_name("");
    command->add_option("--field", options->field, "where it goes; default: attached to the entity")
        ->type_name("FIELD");
    command->add_option("--name", options->name, "what it is called there; default: the file's name")
        ->type_name("NAME");
    command->add_option("--tag", options->tags, "again for more")->type_name("TAG")->allow_extra_args(false);
    command->callback(
        [&chosen, options] { chosen.command = [options] { return upload_command(*options); }; });
}

void add_download(CLI::App& site, Chosen& chosen) {
    auto* command = add_command(site, "download", "Fetch a file; prints its path");
    const auto options = std::make_shared<DownloadOptions>();
    add_site_options(*command, options->site);
    command
        ->add_option("WHAT", options->what,
                     "an attachment's id, TYPE:ID:FIELD, a URL, or - for a URL on standard input")
        ->required()
        ->type_name("");
    command->add_option("FILE", options->file, "what it becomes; replaced when all is there")
        ->required()
        ->type_name("");
    command->callback(
        [&chosen, options] { chosen.command = [options] { return download_command(*options); }; });
}

void add_site(CLI::App& app, Chosen& chosen) {
    auto* command = add_command(app, "site", "Files to the site and from it");
    command->require_subcommand(1);
    add_upload(*command, chosen);
    add_download(*command, chosen);
}

void add_dead_letters(CLI::App& app, Chosen& chosen) {
    using Act = DeadLettersOptions::Act;
    auto* group =
        add_command(app, "dead-letters", "Events that were given up: of the running daemon, or of its state");
    group->require_subcommand(1);
    const struct {
        const char* name;
        Act act;
        const char* help;
    } acts[] = {{"list", Act::list, "A line for each"},
                {"show", Act::show, "All that is known of them: every error, the row, where a host died"},
                {"retry", Act::retry, "Hand them to their callbacks again, at the next start"},
                {"drop", Act::drop, "Forget them"},
                {"export", Act::export_all, "A line of JSON for each"}};
    for (const auto& [name, act, help] : acts) {
        auto* command = add_command(*group, name, help);
        const auto options = std::make_shared<DeadLettersOptions>();
        options->act = act;
        add_config(*command, options->config);
        command->add_option("--plugin", options->plugin, "only of this plugin")->type_name("NAME");
        command->add_option("--event", options->event, "only of this event")->type_name("ID");
        command->add_option("--callback", options->callback, "only of this callback")->type_name("NAME");
        if (act != Act::list && act != Act::export_all)
            command->add_flag("--all", options->all, "every one there is");
        if (act != Act::export_all) add_output(*command, options->output);
        command->callback(
            [&chosen, options] { chosen.command = [options] { return dead_letters_command(*options); }; });
    }
}

void add_import_config(CLI::App& group, Chosen& chosen) {
    using legacy::SecretsAs;
    auto* command = add_command(group, "config", "Turn its configuration into one of sgeventd");
    const auto options = std::make_shared<ImportConfigOptions>();
    command->add_option("FILE", options->old, "shotgunEventDaemon.conf")->required()->type_name("");
    command->add_option("--output", options->output, "the new file, which must not be there yet")
        ->required()
        ->type_name("FILE");
    add_choice<SecretsAs>(
        *command, "--secrets", options->secrets,
        {{"file", SecretsAs::files}, {"environment", SecretsAs::environment}, {"text", SecretsAs::text}},
        "file: in one of their own (default); environment: in a variable; text: copied");
    command->callback(
        [&chosen, options] { chosen.command = [options] { return import_config_command(*options); }; });
}

void add_import_positions(CLI::App& group, Chosen& chosen) {
    auto* command = add_command(group, "positions", "Read how far each plugin had got");
    const auto options = std::make_shared<ImportPositionsOptions>();
    command->add_option("FILE", options->old, "its event id file")->required()->type_name("");
    add_config(*command, options->config);
    command->add_option("--plugin", options->plugins, "only this one, by its name now; again for more")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_option("--rename", options->renamed, "a plugin's name then and now; again for more")
        ->type_name("OLD=NEW")
        ->allow_extra_args(false);
    command->add_flag("--dry-run", options->dry_run, "say what would be stored, and store nothing");
    command->callback(
        [&chosen, options] { chosen.command = [options] { return import_positions_command(*options); }; });
}

void add_import(CLI::App& app, Chosen& chosen) {
    auto* group = add_command(app, "import", "What shotgunEvents left behind: configuration and positions");
    group->require_subcommand(1);
    add_import_config(*group, chosen);
    add_import_positions(*group, chosen);
}

int usage(const CLI::App& app, const std::string& complaint) {
    if (!complaint.empty()) std::fprintf(stderr, "sgeventd: %s\n", complaint.c_str());
    if (complaint.empty()) std::fputs(app.help().c_str(), stderr);
    return static_cast<int>(ExitCode::usage);
}

/// A word that is neither a command nor an option.
int stray(const CLI::App& app, const std::string& word) {
    if (word.starts_with('-')) return usage(app, "'" + word + "' is not an option; see sgeventd --help");
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
    const auto near = nearest(word, names);
    return usage(app, "'" + word + "' is not a command; " +
                          (near.empty() ? "see sgeventd --help" : "did you mean '" + near + "'?"));
}

}  // namespace

void add_config(CLI::App& command, std::filesystem::path& config) {
    command.add_option("--config", config, "the configuration file")
        ->envname("SGEVENTD_CONFIG")
        ->required()
        ->type_name("FILE");
}

CLI::Option* add_configs(CLI::App& command, std::vector<std::filesystem::path>& configs) {
    return command
        .add_option("--config", configs, "the configuration file; again for another site in the same process")
        ->envname("SGEVENTD_CONFIG")
        ->type_name("FILE")
        ->allow_extra_args(false);
}

void add_commands(CLI::App& app, Chosen& chosen) {
    app.set_version_flag("--version", "sgeventd " SG_VERSION);
    app.set_help_flag("-h,--help", "print this help");
    app.require_subcommand(0, 1);  // with 1 a mistyped command is reported as "a subcommand is required"
    app.allow_extras();
    app.footer(footer());
    add_run(app, chosen);
    add_start(app, chosen);
    add_stop(app, chosen);
    add_restart(app, chosen);
    add_check_config(app, chosen);
    add_status(app, chosen);
    add_replay(app, chosen);
    add_explain(app, chosen);
    add_record(app, chosen);
    add_tail(app, chosen);
    add_reload(app, chosen);
    add_plugins(app, chosen);
    add_poll(app, chosen);
    add_log_level(app, chosen);
    add_sandbox(app, chosen);
    add_demo(app, chosen);
    add_new_plugin(app, chosen);
    add_site(app, chosen);
    add_dead_letters(app, chosen);
    add_import(app, chosen);
}

int run_command_line(int argc, const char* const* argv) {
    CLI::App app("Event daemon for Flow Production Tracking (ShotGrid)", "sgeventd");
    Chosen chosen;
    add_commands(app, chosen);
    if (argc > 1) {
        const std::string_view first = argv[1];
        if (first == "complete") return print_candidates(app, {argv + 2, argv + argc});
        if (first == "manual") return write_manual(app, {argv + 2, argv + argc});
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? static_cast<int>(ExitCode::ok) : static_cast<int>(ExitCode::usage);
    }
    if (!app.remaining().empty()) return stray(app, app.remaining().front());
    if (!chosen.command) return usage(app, "");
    return static_cast<int>(chosen.command());
}

}  // namespace sg::cli
