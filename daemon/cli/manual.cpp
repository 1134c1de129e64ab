#include "cli/manual.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/command_line_parts.hpp"

namespace sg::cli {
namespace {

using Commands = std::vector<const CLI::App*>;
using Options = std::vector<const CLI::Option*>;

/// Text in which nothing is an order to troff.
std::string plain(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (c == '\n')
            out += ' ';
        else
            out += c;
    }
    return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string in_bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
std::string slanted(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

Commands commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

Options options_of(const CLI::App& app, bool positional) {
    return app.get_options(
        [positional](const CLI::Option* one) { return one->get_positional() == positional; });
}

bool may_come_again(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

std::string synopsis(const std::string& name, const CLI::App& command) {
    std::string out = in_bold(name) + " [" + slanted("OPTIONS") + "]";
    for (const auto* option : options_of(command, true)) {
        const auto shown = slanted(option->get_name()) + (may_come_again(*option) ? "..." : "");
        out += option->get_required() ? " " + shown : " [" + shown + "]";
    }
    return commands_of(command).empty() ? out : out + " " + slanted("COMMAND");
}

std::string heading(const CLI::Option& option) {
    if (option.get_positional()) return slanted(option.get_name());
    std::string out;
    for (const auto& name : option.get_snames()) out += in_bold("-" + name) + ", ";
    for (const auto& name : option.get_lnames()) out += in_bold("--" + name);
    const auto type = option.get_type_name();
    return option.get_items_expected_max() == 0 || type.empty() ? out : out + " " + slanted(type);
}

std::string meaning(const CLI::Option& option) {
    auto out = plain(option.get_description());
    if (const auto& usual = option.get_default_str(); !usual.empty()) out += "; default: " + plain(usual);
    if (!option.get_positional() && option.get_required()) out += "; required";
    if (const auto variable = option.get_envname(); !variable.empty())
        out += ", unless " + in_bold(variable) + " in the environment says it";
    return out;
}

void write_options(std::ostream& out, const CLI::App& command) {
    for (const bool positional : {true, false})
        for (const auto* option : options_of(command, positional))
            out << ".TP\n" << heading(*option) << '\n' << meaning(*option) << '\n';
}

void write_top(std::ostream& out, const std::string& page, const std::string& what) {
    out << ".TH " << page << " 1 \"\" \"sgeventd\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n"
        << plain(page) << " \\- " << plain(what) << '\n';
}

void write_bottom(std::ostream& out, const std::string& see_also) {
    out << ".SH EXIT STATUS\n";
    for (const auto& [code, what] : exit_codes)
        out << ".TP\n" << in_bold(std::to_string(static_cast<int>(code))) << '\n' << plain(what) << '\n';
    out << ".SH SEE ALSO\n" << see_also << '\n';
}

void write_overview(std::ostream& out, const CLI::App& app) {
    write_top(out, "sgeventd", app.get_description());
    out << ".SH SYNOPSIS\n" << synopsis("sgeventd", app) << "\n.SH COMMANDS\n";
    for (const auto* command : commands_of(app))
        out << ".TP\n"
            << in_bold("sgeventd-" + command->get_name()) << "(1)\n"
            << plain(command->get_description()) << '\n';
    out << ".SH OPTIONS\n";
    write_options(out, app);
    write_bottom(out, ".BR systemctl (1),\n.BR journalctl (1)");
}

void write_command(std::ostream& out, const CLI::App& command) {
    const auto name = "sgeventd " + command.get_name();
    const auto below = commands_of(command);
    write_top(out, "sgeventd-" + command.get_name(), command.get_description());
    out << ".SH SYNOPSIS\n";
    if (below.empty()) out << synopsis(name, command) << '\n';
    for (const auto* one : below) out << synopsis(name + " " + one->get_name(), *one) << "\n.br\n";
    if (below.empty()) out << ".SH OPTIONS\n";
    if (below.empty()) write_options(out, command);
    if (!below.empty()) out << ".SH COMMANDS\n";
    for (const auto* one : below) {
        out << ".SS " << plain(one->get_name()) << '\n' << plain(one->get_description()) << '\n';
        write_options(out, *one);
    }
    write_bottom(out, ".BR sgeventd (1)");
}

}  // namespace

int write_manual(const CLI::App& app, const std::vector<std::string>& words) {
    if (words.size() != 1) {
        std::fputs("sgeventd: manual DIRECTORY\n", stderr);
        return static_cast<int>(ExitCode::usage);
    }
    const std::filesystem::path directory = words.front();
    const auto write = [&](const std::string& page, const auto& content) {
        std::ofstream out(directory / (page + ".1"));
        content(out);
        return static_cast<bool>(out.flush());
    };
    bool written = write("sgeventd", [&](std::ostream& out) { write_overview(out, app); });
    for (const auto* command : commands_of(app))
        written = write("sgeventd-" + command->get_name(),
                        [&](std::ostream& out) { write_command(out, *command); }) &&
                  written;
    if (written) return static_cast<int>(ExitCode::ok);
    std::fprintf(stderr, "sgeventd: %s cannot be written\n", directory.c_str());
    return static_cast<int>(ExitCode::io);
}

}  // namespace sg::cli
