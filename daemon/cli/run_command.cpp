// sgeventd run

#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/first_process.hpp"
#include "config/load.hpp"
#include "logging/logging.hpp"
#include "service/alert_desk.hpp"
#include "service/service.hpp"
#include "service/signals.hpp"

namespace sg::cli {
namespace {

/// What everything that is made from here on inherits.
void make_private() {
    ::umask(077);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);  // a core would hold the site's keys
}

}  // namespace

ExitCode run_command(const RunOptions& options, std::optional<service::Notifier> background) {
    if (const auto code = divide_if_first()) return *code;
    service::Signals signals;
    auto notifier = background ? std::move(*background) : service::Notifier::take();
    make_private();
    auto loaded = config::load(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return ExitCode::config;
    }
    auto& config = loaded->config;
    logging::Logging::Options log_options;
    log_options.level = config.log.level;
    log_options.file = config.log.file;
    log_options.to_stderr = !background;
    log_options.journal = logging::Logging::stderr_is_journal();
    log_options.secrets = config.secrets();
    auto logging = logging::Logging::open(std::move(log_options));
    if (!logging) {
        std::fprintf(stderr, "sgeventd: %s\n", logging.error().message.c_str());
        return ExitCode::io;
    }
    for (const auto& warning : loaded->warnings)
        (*logging)->engine().warning("[CONFIG-WARNING] {}", warning.to_string());
    SystemClock clock;
    service::AlertDesk desk(config, **logging, clock);
    service::Service service(std::move(config), **logging, clock, nullptr, std::move(notifier),
                             &desk.alerts());
    service.reload_from([&options] { return config::load(options.config); });
    return service::run_with_signals(service, signals, **logging);
}

}  // namespace sg::cli
