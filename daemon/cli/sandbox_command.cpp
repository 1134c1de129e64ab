#include "cli/sandbox_command.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pthread.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>

#include "sandbox/production.hpp"
#include "sandbox/site.hpp"

namespace sg::cli {
namespace {

constexpr int exit_usage = 64, exit_unavailable = 69, exit_io = 74;

/// Keeps SIGINT and SIGTERM for `wait`; threads started meanwhile never see them.
class Signals {
public:
    Signals() {
        sigemptyset(&set_);
        sigaddset(&set_, SIGINT);
        sigaddset(&set_, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }
    ~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    void wait() {
        int got = 0;
        sigwait(&set_, &got);
    }

private:
    sigset_t set_{}, before_{};
};

void say(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

void print_change(const sandbox::PlayedChange& change) {
    const auto now = fmt::gmtime(std::time(nullptr));
    const auto arrow = change.before.empty() ? change.after : change.before + " -> " + change.after;
    say(fmt::format("{:%H:%M:%S}  {:<14} {:<22} {}: {}  (event {})", now, change.who, change.what,
                    change.field, arrow, change.event));
}

std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// False if one of the scripts is not `NAME=KEY`.
bool add_scripts(sandbox::Site& site, const std::vector<std::string>& scripts) {
    if (scripts.empty()) {
        say(fmt::format("script: {} (key {})", sandbox::Site::script, sandbox::Site::key));
        return true;
    }
    site.remove_script_key(sandbox::Site::script);
    for (const auto& script : scripts) {
        const auto equals = script.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == script.size()) return false;
        site.add_script(script.substr(0, equals), script.substr(equals + 1));
        say(fmt::format("script: {}", script.substr(0, equals)));
    }
    return true;
}

/// The webhook's token; nullopt where it was to be had from somewhere and is not there.
std::optional<std::string> read_token(const SandboxOptions& options) {
    if (!options.webhook_token_env.empty()) {
        const char* value = std::getenv(options.webhook_token_env.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    }
    if (options.webhook_token_file.empty()) return std::string();
    std::ifstream in(options.webhook_token_file);
    std::string token;
    if (!std::getline(in, token) || token.empty()) return std::nullopt;
    return token;
}

/// False if the webhook's token is not where it should be.
bool add_webhook(sandbox::Site& site, const SandboxOptions& options) {
    if (options.webhook.empty()) return true;
    const auto token = read_token(options);
    if (!token) return false;
    for (const auto& known : site.webhooks())  // from the data file
        if (known.url == options.webhook) site.remove_webhook(known.id);
    site.add_webhook({.url = options.webhook, .token = *token});
    say(fmt::format("webhook: {}{}", options.webhook, token->empty() ? " (not signed)" : ""));
    return true;
}

}  // namespace

int run_sandbox(const SandboxOptions& options) {
    Signals signals;
    std::unique_ptr<sandbox::Site> site;
    try {
        sandbox::Site::Options of_site;
        of_site.address = options.address;
        of_site.port = options.port;
        of_site.time_zone = options.time_zone;
        of_site.direct_uploads = !options.legacy_uploads;
        if (!options.schema.empty()) of_site.schema = text_of(options.schema);
        of_site.data_file = options.data;
        of_site.trouble = [](const std::string& why) { fmt::print(stderr, "sandbox: {}\n", why); };
        site = std::make_unique<sandbox::Site>(std::move(of_site));
    } catch (const sandbox::DataFileError& why) {
        fmt::print(stderr, "sandbox: {}\n", why.what());
        return exit_io;
    } catch (const std::system_error& why) {
        fmt::print(stderr, "sandbox: cannot listen on {}:{}: {}\n", options.address, options.port,
                   why.code().message());
        return exit_unavailable;
    } catch (const std::exception& why) {  // the schema or the time zone
        fmt::print(stderr, "sandbox: {}\n", why.what());
        return exit_usage;
    }
    say(fmt::format("site: {}", site->url()));
    if (!add_scripts(*site, options.scripts)) {
        fmt::print(stderr, "sandbox: --script expects NAME=KEY\n");
        return exit_usage;
    }
    if (!add_webhook(*site, options)) {
        fmt::print(
            stderr, "sandbox: there is no webhook token in {}\n",
            options.webhook_token_env.empty() ? options.webhook_token_file : options.webhook_token_env);
        return exit_usage;
    }
    std::optional<sandbox::Production> production;
    if (options.rate > 0) {
        sandbox::Production::Options play{options.rate, options.seed, {}};
        if (!options.quiet) play.on_change = print_change;
        production.emplace(*site, std::move(play));
        production->start();
    }
    say("ready");
    signals.wait();
    production.reset();
    return site->flush() ? 0 : exit_io;
}

}  // namespace sg::cli
