// sgeventd import config, import positions

#include "cli/import_command.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "checkpoint/store.hpp"
#include "config/load.hpp"
#include "config/text_file.hpp"
#include "legacy/old_positions.hpp"
#include "logging/logging.hpp"
#include "plugins/collection.hpp"
#include "service/settings.hpp"
#include "util/fd.hpp"

namespace sg::cli {
namespace {

constexpr std::size_t largest_config = 4'000'000, largest_positions = 64'000'000;
constexpr std::chrono::seconds save_limit{30};

ExitCode refuse(ExitCode code, const std::string& what) {
    std::fprintf(stderr, "sgeventd: %s\n", logging::one_line(what).c_str());
    return code;
}

void print_line(const std::string& line) { std::printf("%s\n", logging::one_line(line).c_str()); }

/// A new file: one that is there is never written over.
Result<void> write_new(const std::filesystem::path& file, const std::string& text, mode_t mode) {
    UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return fail(Cause::invalid, "cannot make {}: {}", file.string(), std::strerror(errno));
    for (std::size_t at = 0; at < text.size();) {
        const auto wrote = ::write(fd.get(), text.data() + at, text.size() - at);
        if (wrote < 0) {
            const auto why =
                fail(Cause::internal, "cannot write {}: {}", file.string(), std::strerror(errno));
            ::unlink(file.c_str());
            return why;
        }
        at += static_cast<std::size_t>(wrote);
    }
    if (::fsync(fd.get()) != 0)
        return fail(Cause::internal, "cannot write {}: {}", file.string(), std::strerror(errno));
    return {};
}

const char* word_for(legacy::ConversionNote::Kind kind) {
    using Kind = legacy::ConversionNote::Kind;
    return kind == Kind::changed ? "changed" : kind == Kind::left_out ? "left out" : "to do";
}

void print_line(const legacy::ConversionNote& note, const std::string& file) {
    const auto line = note.line == 0 ? std::string() : fmt::format(":{}", note.line);
    const auto where = note.where.empty() ? std::string() : note.where + " ";
    print_line(fmt::format("{}{}: {}: {}{}", file, line, word_for(note.kind), where, note.text));
}

Result<void> write_all(const legacy::Conversion& made, const ImportConfigOptions& options) {
    const auto folder = std::filesystem::absolute(options.output).parent_path();
    std::error_code ignored;
    for (const auto& [name, secret] : made.secret_files)  // before anything is written
        if (std::filesystem::exists(folder / name, ignored))
            return fail(Cause::invalid, "{} is there already; nothing was written", (folder / name).string());
    const mode_t mode = options.secrets == legacy::SecretsAs::text ? 0600 : 0644;
    if (auto done = write_new(options.output, made.yaml, mode); !done) return done;
    for (const auto& [name, secret] : made.secret_files)
        if (auto done = write_new(folder / name, secret + "\n", 0600); !done) return done;
    return {};
}

/// The plugins whose libraries are there now.
std::vector<std::string> plugins_there(const config::Config& config, Logger& log) {
    std::vector<std::string> out;
    for (const auto& plugin :
         plugins::Collections(config.collections, log, service::world_writable(config)).scan().plugins)
        out.push_back(plugin.id);
    return out;
}

Result<legacy::PositionChoice> position_choice(const ImportPositionsOptions& options,
                                               const config::Config& config, Logger& log) {
    legacy::PositionChoice choice;
    for (const auto& path : config.collections) choice.collections.push_back(path.string());
    choice.present = plugins_there(config, log);
    choice.only = options.plugins;
    for (const auto& pair : options.renamed) {
        const auto middle = pair.find('=');
        if (middle == std::string::npos || middle == 0 || middle + 1 == pair.size())
            return fail(Cause::invalid, "--rename expects OLD=NEW, not '{}'", pair);
        choice.renamed[pair.substr(0, middle)] = pair.substr(middle + 1);
    }
    return choice;
}

void print_line(const legacy::PositionPlan& plan) {
    std::size_t width = 0;
    for (const auto& [name, progress] : plan.plugins) width = std::max(width, name.size());
    for (const auto& [name, progress] : plan.plugins)
        print_line(fmt::format("{:{}}  goes on after event {}", name, width, progress.cursor));
    for (const auto& gap : plan.gaps)
        print_line(fmt::format("ids {} to {} are waited for until {:%Y-%m-%d %H:%M:%S} UTC", gap.first,
                               gap.last, fmt::gmtime(std::chrono::system_clock::to_time_t(gap.deadline))));
    for (const auto& note : plan.notes) print_line("note: " + note);
}

ExitCode save_positions(const legacy::PositionPlan& plan, const config::Config& config, Logger& log) {
    SystemClock clock;
    checkpoint::Store::Options options;
    options.directory = config.state_dir;
    options.as = checkpoint::Store::As::visitor;
    auto store = checkpoint::Store::open(options, clock, log);
    if (!store) {
        const auto refusal = checkpoint::open_refusal(store.error());
        return refuse(refusal == checkpoint::OpenRefusal::locked    ? ExitCode::locked
                      : refusal == checkpoint::OpenRefusal::damaged ? ExitCode::state_refused
                                                                    : ExitCode::io,
                      store.error().message);
    }
    const auto& there = (*store)->snapshot();
    if (there.highest_seen || !there.plugins.empty())
        return refuse(
            ExitCode::data,
            fmt::format("{} holds positions already; nothing was changed. Positions are imported into "
                        "a state directory that is new",
                        config.state_dir.string()));
    (*store)->apply(plan.batch(), checkpoint::Urgency::settled);
    if (auto done = (*store)->close(save_limit); !done) return refuse(ExitCode::io, done.error().message);
    return ExitCode::ok;
}

}  // namespace

ExitCode import_config_command(const ImportConfigOptions& options) {
    const auto text = config::read_text(options.old, largest_config);
    if (!text) return refuse(ExitCode::data, options.old.string() + ": " + text.error().message);
    const auto old = legacy::IniFile::read(*text);
    if (!old) return refuse(ExitCode::data, options.old.string() + ": " + old.error().message);
    const auto made =
        legacy::convert(*old, options.old.string(), config::process_environment, options.secrets);
    if (const auto done = write_all(made, options); !done)
        return refuse(done.error().cause == Cause::invalid ? ExitCode::data : ExitCode::io,
                      done.error().message);
    for (const auto& note : made.notes) print_line(note, options.old.string());
    print_line(options.output.string() + " is written");
    const auto loaded = config::load(options.output);
    if (std::fflush(stdout) != 0) return ExitCode::io;
    if (loaded) return ExitCode::ok;
    for (const auto& problem : loaded.error())
        std::fprintf(stderr, "%s\n", logging::one_line(problem.to_string()).c_str());
    return refuse(ExitCode::config, "the new configuration needs a hand first, as said above");
}

ExitCode import_positions_command(const ImportPositionsOptions& options) {
    ::umask(077);
    const auto loaded = config::load(options.config, config::process_environment, config::Secrets::leave);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return ExitCode::config;
    }
    const auto content = config::read_text(options.old, largest_positions);
    if (!content) return refuse(ExitCode::data, options.old.string() + ": " + content.error().message);
    const auto old = legacy::read_positions(*content);
    if (!old) return refuse(ExitCode::data, options.old.string() + " " + old.error().message);
    auto logging = logging::Logging::open({});
    if (!logging) return refuse(ExitCode::io, logging.error().message);
    auto& log = (*logging)->engine();
    const auto choice = position_choice(options, loaded->config, log);
    if (!choice) return refuse(ExitCode::usage, choice.error().message);
    const auto plan = legacy::plan_positions(*old, *choice);
    if (!plan) return refuse(ExitCode::data, options.old.string() + ": " + plan.error().message);
    if (!options.dry_run)
        if (const auto code = save_positions(*plan, loaded->config, log); code != ExitCode::ok) return code;
    print_line(*plan);
    print_line(options.dry_run ? "nothing was written"
                               : loaded->config.state_dir.string() + " holds these positions");
    return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
}

}  // namespace sg::cli
