// sgeventd dead-letters list, show, retry, drop, export

#include "cli/dead_letters_command.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>
#include <utility>

#include "checkpoint/store.hpp"
#include "cli/at_hand.hpp"
#include "cli/control_client.hpp"
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

std::string user() {
    const auto id = ::getuid();
    const auto* known = ::getpwuid(id);
    return known != nullptr ? known->pw_name : fmt::format("uid {}", id);
}

std::string field(const json& letter, const char* key) {
    const auto at = letter.find(key);
    return at == letter.end() ? "" : at->is_string() ? at->get<std::string>() : at->dump();
}

std::string as_line(const json& letter) {
    const auto& errors = letter.at("errors");
    return fmt::format("{}  {}  {}  {}  {} attempts  {}", field(letter, "event"), field(letter, "plugin"),
                       field(letter, "callback"), field(letter, "died"), field(letter, "attempts"),
                       errors.empty() ? "" : field(errors.back(), "text"));
}

/// One line per entry; what a plugin wrote goes through `one_line` like all the rest.
std::vector<std::string> as_page(const json& letter) {
    std::vector<std::string> out{
        fmt::format("event     {} {} {}", field(letter, "event"), field(letter, "event_type"),
                    field(letter, "attribute")),
        "plugin    " + field(letter, "plugin"), "callback  " + field(letter, "callback"),
        fmt::format("given up  {}: {}", field(letter, "died"), field(letter, "reason")),
        "build     " + field(letter, "build")};
    bool is_first = true;
    for (const auto& error : letter.at("errors")) {
        out.push_back(fmt::format("attempt   {} at {} [{}] {}", field(error, "attempt"), field(error, "at"),
                                  error.at("crashed").get<bool>() ? "crash" : field(error, "cause"),
                                  field(error, "text")));
        if (const auto more = field(letter, "errors_left_out"); std::exchange(is_first, false) && more != "0")
            out.push_back(fmt::format("          ({} more)", more));
    }
    const auto trace = field(letter, "trace");
    for (std::size_t from = 0; from < trace.size();) {
        const auto end = std::min(trace.find('\n', from), trace.size());
        out.push_back("trace     " + trace.substr(from, end - from));
        from = end + 1;
    }
    out.push_back("row       " + letter.at("row").dump(-1, ' ', false, json::error_handler_t::replace));
    return out;
}

bool print(const std::string& line) { return std::printf("%s\n", line.c_str()) >= 0; }

std::string dumped(const json& value, int indent = -1) {
    return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

ExitCode print_all(const json& letters, const DeadLettersOptions& options) {
    bool ok = true;
    if (options.act == Act::export_all) {
        for (const auto& letter : letters) ok = ok && print(dumped(letter));
    } else if (options.output == Output::json) {
        ok = print(dumped(letters, 2));
    } else if (options.act == Act::list) {
        for (const auto& letter : letters) ok = ok && print(logging::one_line(as_line(letter)));
        std::fprintf(stderr, "%zu dead letters\n", letters.size());
    } else {
        for (const auto& letter : letters) {
            for (const auto& line : as_page(letter)) ok = ok && print(logging::one_line(line));
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
    if (options.output == Output::json)
        return print(dumped({{"letters", letters.size()}})) ? ExitCode::ok : ExitCode::io;
    return print(fmt::format("{} dead letters {}", letters.size(), retry ? "are tried again" : "dropped"))
               ? ExitCode::ok
               : ExitCode::io;
}

ExitCode none_there() { return failed(ExitCode::data, "there is no such dead letter"); }

bool is_reading(const DeadLettersOptions& options) {
    return options.act == Act::list || options.act == Act::export_all;
}

checkpoint::LetterChoice choice_of(const DeadLettersOptions& options) {
    return {options.plugin, options.event, options.callback};
}

/// What the running daemon says or does; nothing, where none listens on its socket.
std::optional<ExitCode> by_daemon(const std::filesystem::path& socket, const DeadLettersOptions& options) {
    const bool retry = options.act == Act::retry, drop = options.act == Act::drop;
    json choice = json::object();
    if (!options.plugin.empty()) choice["plugin"] = options.plugin;
    if (options.event) choice["event"] = *options.event;
    if (!options.callback.empty()) choice["callback"] = options.callback;
    if ((retry || drop) && choice.empty()) choice["all"] = true;
    const auto* act = retry ? "retry" : drop ? "drop" : "list";
    const auto answer = ask_daemon(socket, "POST", std::string("/api/dead-letters/") + act, choice.dump());
    if (!answer) {
        if (answer.error().cause == Cause::network) return std::nullopt;
        return failed(answer.error().cause == Cause::permission ? ExitCode::not_allowed : ExitCode::data,
                      answer.error().message);
    }
    if (retry || drop) {
        const auto text = options.output == Output::json ? dumped({{"letters", answer->at("letters")}})
                                                         : answer->at("done").get<std::string>();
        return print(text) ? ExitCode::ok : ExitCode::io;
    }
    if (answer->at("letters").empty() && !is_reading(options)) return none_there();
    return print_all(answer->at("letters"), options);
}

}  // namespace

ExitCode dead_letters_command(const DeadLettersOptions& options) {
    const bool chooses = !options.plugin.empty() || options.event || !options.callback.empty();
    if (!is_reading(options) && !chooses && !options.all)
        return failed(ExitCode::usage, "say which: --plugin, --event, --callback, or --all");
    ::umask(077);
    const auto loaded = config::load(options.config, config::process_environment, config::Secrets::leave);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return ExitCode::config;
    }
    const auto& config = loaded->config;
    if (const auto done = by_daemon(config.admin_socket(), options)) return *done;
    logging::Logging::Options log_options;
    log_options.file = config.log.file;
    const auto logging = logging::Logging::open(std::move(log_options));
    if (!logging) return failed(ExitCode::io, logging.error().message);

    std::vector<DeadLetterPtr> letters;
    SystemClock clock;
    auto store = open_state(config.state_dir, clock, (*logging)->engine());
    if (!store) return store.error();
    if (*store != nullptr)
        for (const auto& letter : (*store)->snapshot().dead_letters)
            if (choice_of(options).matches(*letter)) letters.push_back(letter);
    if (letters.empty() && !is_reading(options)) return none_there();
    if (is_reading(options) || options.act == Act::show) {
        json all = json::array();
        for (const auto& letter : letters) all.push_back(checkpoint::shown(*letter));
        return print_all(all, options);
    }
    return change(**store, letters, options, clock, (*logging)->engine());
}

}  // namespace sg::cli
