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

logging::Timings timings_of(config::CallTimings timing) {
    switch (timing) {
        case config::CallTimings::lines:
            return logging::Timings::lines;
        case config::CallTimings::records:
            return logging::Timings::records;
        case config::CallTimings::none:
            break;
    }
    return logging::Timings::none;
}

logging::Logging::Options log_options(const config::Config& config) {
    logging::Logging::Options to;
    to.level = config.log.level;
    to.file = config.log.file;
    to.per_plugin = config.log.per_plugin;
    to.rotate = config.log.rotate;
    to.keep = static_cast<std::size_t>(config.log.keep);
    to.compress = config.log.compress;
    to.timings = timings_of(config.log.timing);
    to.json = config.log.format == config::LogFormat::json;
    to.journal = logging::Logging::stderr_is_journal();
    to.secrets = config.secrets();
    return to;
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
    auto log_how = log_options(config);
    log_how.to_stderr = !background;
    auto logging = logging::Logging::open(std::move(log_how));
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
