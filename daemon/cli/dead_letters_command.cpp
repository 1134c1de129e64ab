// sgeventd dead-letters list, show, retry, drop, export

#include "cli/dead_letters_command.hpp"

#include <fmt/chrono.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>

#include "checkpoint/store.hpp"
#include "config/load.hpp"
#include "logging/logging.hpp"

namespace sg::cli {
namespace {

using checkpoint::DeadLetterPtr;
using nlohmann::json;
using service::ExitCode;
using Act = DeadLettersOptions::Act;

constexpr std::chrono::seconds longest_save{30};

ExitCode failed(ExitCode code, const std::string& what) {
    std::fprintf(stderr, "sgeventd: %s\n", what.c_str());
    return code;
}

std::string utc(checkpoint::Instant at) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(at)));
}

std::string user() {
    const auto id = ::getuid();
    const auto* known = ::getpwuid(id);
    return known != nullptr ? known->pw_name : fmt::format("uid {}", id);
}

json as_json(const checkpoint::DeadLetter& letter) {
    json errors = json::array();
    for (const auto& error : letter.history.errors)
        errors.push_back({{"attempt", error.attempt},
                          {"at", utc(error.at)},
                          {"cause", std::string(to_string(error.cause))},
                          {"crashed", error.crashed},
                          {"text", error.text}});
    json row = json::parse(letter.body, nullptr, false);
    if (row.is_discarded()) row = letter.body;
    return {{"plugin", letter.plugin},
            {"callback", letter.callback},
            {"event", letter.event},
            {"event_type", letter.type},
            {"attribute", letter.attribute},
            {"attempts", letter.attempts},
            {"crashes", letter.history.crashes},
            {"died", utc(letter.died)},
            {"reason", letter.why},
            {"errors", std::move(errors)},
            {"errors_left_out", letter.history.left_out},
            {"trace", letter.history.trace},
            {"build", letter.history.build},
            {"row", std::move(row)}};
}

std::string last_error(const checkpoint::DeadLetter& letter) {
    return letter.history.errors.empty() ? "" : letter.history.errors.back().text;
}

std::string as_line(const checkpoint::DeadLetter& letter) {
    return fmt::format("{}  {}  {}  {}  {} attempts  {}", letter.event, letter.plugin, letter.callback,
                       utc(letter.died), letter.attempts, last_error(letter));
}

/// One line per entry; what a plugin wrote goes through `one_line` like all the rest.
std::vector<std::string> as_page(const checkpoint::DeadLetter& letter) {
    std::vector<std::string> out{
        fmt::format("event     {} {} {}", letter.event, letter.type, letter.attribute),
        fmt::format("plugin    {}", letter.plugin), fmt::format("callback  {}", letter.callback),
        fmt::format("given up  {}: {}", utc(letter.died), letter.why),
        fmt::format("build     {}", letter.history.build)};
    for (const auto& error : letter.history.errors) {
        out.push_back(fmt::format("attempt   {} at {} [{}] {}", error.attempt, utc(error.at),
                                  error.crashed ? "crash" : to_string(error.cause), error.text));
        if (letter.history.left_out > 0 && &error == letter.history.errors.data())
            out.push_back(fmt::format("          ({} more)", letter.history.left_out));
    }
    for (std::size_t from = 0; from < letter.history.trace.size();) {
        const auto end = std::min(letter.history.trace.find('\n', from), letter.history.trace.size());
        out.push_back("trace     " + letter.history.trace.substr(from, end - from));
        from = end + 1;
    }
    out.push_back("row       " + letter.body);
    return out;
}

bool print(const std::string& line) { return std::printf("%s\n", line.c_str()) >= 0; }

std::string dumped(const json& value, int indent = -1) {
    return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

ExitCode print_all(const std::vector<DeadLetterPtr>& letters, const DeadLettersOptions& options) {
    bool ok = true;
    if (options.act == Act::export_all) {
        for (const auto& letter : letters) ok = ok && print(dumped(as_json(*letter)));
    } else if (options.json) {
        json all = json::array();
        for (const auto& letter : letters) all.push_back(as_json(*letter));
        ok = print(dumped(all, 2));
    } else if (options.act == Act::list) {
        for (const auto& letter : letters) ok = ok && print(logging::one_line(as_line(*letter)));
        std::fprintf(stderr, "%zu dead letters\n", letters.size());
    } else {
        for (const auto& letter : letters) {
            for (const auto& line : as_page(*letter)) ok = ok && print(logging::one_line(line));
            ok = ok && print("");
        }
    }
    return ok && std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
}

/// Every act is a line of the log, with who did it.
ExitCode change(checkpoint::Store& store, const std::vector<DeadLetterPtr>& letters,
                const DeadLettersOptions& options, const Clock& clock, Logger& log) {
    const bool retry = options.act == Act::retry;
    const auto now = std::chrono::floor<std::chrono::milliseconds>(clock.utc());
    checkpoint::Batch batch;
    for (const auto& letter : letters) {
        if (retry)
            batch.try_again(*letter, now);
        else
            batch.erase_dead_letter(letter->plugin, letter->event, letter->callback);
    }
    store.apply(std::move(batch), checkpoint::Urgency::settled);
    if (auto done = store.close(longest_save); !done) return failed(ExitCode::io, done.error().message);
    for (const auto& letter : letters)
        log.info("[{}] {} plugin={} callback={} event={} by={}",
                 retry ? "DEAD-LETTER-RETRIED" : "DEAD-LETTER-DROPPED",
                 retry ? "The event is handed out again at the next start." : "The event is gone.",
                 letter->plugin, letter->callback, letter->event, user());
    if (options.json) return print(dumped({{"letters", letters.size()}})) ? ExitCode::ok : ExitCode::io;
    return print(fmt::format("{} dead letters {}", letters.size(), retry ? "are tried again" : "dropped"))
               ? ExitCode::ok
               : ExitCode::io;
}

bool is_chosen(const checkpoint::DeadLetter& letter, const DeadLettersOptions& options) {
    return (options.plugin.empty() || letter.plugin == options.plugin) &&
           (!options.event || letter.event == *options.event) &&
           (options.callback.empty() || letter.callback == options.callback);
}

ExitCode no_state(const Failure& why) {
    switch (checkpoint::open_refusal(why)) {
        case checkpoint::OpenRefusal::locked:
            return failed(ExitCode::locked, why.message + ": stop it first");
        case checkpoint::OpenRefusal::damaged:
            return failed(ExitCode::state_refused, why.message);
        case checkpoint::OpenRefusal::io:
            break;
    }
    return failed(ExitCode::io, why.message);
}

}  // namespace

ExitCode dead_letters_command(const DeadLettersOptions& options) {
    const bool is_reading = options.act == Act::list || options.act == Act::export_all;
    const bool chooses = !options.plugin.empty() || options.event || !options.callback.empty();
    if (!is_reading && !chooses && !options.all)
        return failed(ExitCode::usage, "say which: --plugin, --event, --callback, or --all");
    ::umask(077);
    const auto loaded = config::load(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return ExitCode::config;
    }
    const auto& config = loaded->config;
    logging::Logging::Options log_options;
    log_options.file = config.log.file;
    log_options.secrets = config.secrets();
    const auto logging = logging::Logging::open(std::move(log_options));
    if (!logging) return failed(ExitCode::io, logging.error().message);

    std::vector<DeadLetterPtr> letters;
    SystemClock clock;
    std::unique_ptr<checkpoint::Store> store;  // ends before the clock
    std::error_code unknown;
    // Looking makes no state where there is none.
    if (std::filesystem::exists(config.state_dir / "lock", unknown)) {
        checkpoint::Store::Options store_options;
        store_options.directory = config.state_dir;
        store_options.as = checkpoint::Store::As::visitor;
        auto opened = checkpoint::Store::open(std::move(store_options), clock, (*logging)->engine());
        if (!opened) return no_state(opened.error());
        store = std::move(*opened);
        for (const auto& letter : store->snapshot().dead_letters)
            if (is_chosen(*letter, options)) letters.push_back(letter);
    }
    if (letters.empty() && !is_reading) return failed(ExitCode::data, "there is no such dead letter");
    if (is_reading || options.act == Act::show) return print_all(letters, options);
    return change(*store, letters, options, clock, (*logging)->engine());
}

}  // namespace sg::cli
