// sgeventd run

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <deque>

#include "cli/commands.hpp"
#include "cli/first_process.hpp"
#include "config/together.hpp"
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

/// Pages of events come and go by the half megabyte. Left to itself the allocator keeps a heap for each
/// thread that ever read one, and takes ever larger blocks into those heaps: a million events behind it held
/// 30 MB more than at ten thousand.
void keep_memory_flat() {
#ifdef __GLIBC__
    ::mallopt(M_ARENA_MAX, 2);
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
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

/// One site: what it logs to, whom it alerts, and the service that follows it.
class SiteDaemon {
public:
    SiteDaemon(const std::filesystem::path& file, config::Loaded loaded,
               std::unique_ptr<logging::Logging> logging, Clock& clock, service::Notifier notifier)
        : logging_(std::move(logging)),
          desk_(loaded.config, *logging_, clock),
          service_(std::move(loaded.config), *logging_, clock, nullptr, std::move(notifier),
                   &desk_.alerts()) {
        for (const auto& warning : loaded.warnings)
            logging_->engine().warning("[CONFIG-WARNING] {}", warning.to_string());
        service_.reload_from([file] { return config::load(file); });
    }

    service::Attended attended() { return {service_, *logging_}; }

private:
    const std::unique_ptr<logging::Logging> logging_;
    service::AlertDesk desk_;
    service::Service service_;
};

}  // namespace

ExitCode run_command(const RunOptions& options, std::optional<service::Notifier> background) {
    if (const auto code = divide_if_first()) return *code;
    service::Signals signals;
    const auto notifier = background ? std::move(*background) : service::Notifier::take();
    make_private();
    keep_memory_flat();
    auto loaded = config::load_together(options.configs);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return ExitCode::config;
    }
    const auto names = config::site_names(options.configs);
    const bool is_one = names.size() == 1;
    const auto notifiers = is_one ? std::vector{notifier} : notifier.divided(names);
    SystemClock clock;
    std::deque<SiteDaemon> sites;
    std::vector<service::Attended> attended;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto log_how = log_options((*loaded)[i].config);
        log_how.to_stderr = !background;
        log_how.site = names[i];
        auto logging = logging::Logging::open(std::move(log_how));
        if (!logging) {
            std::fprintf(stderr, "sgeventd: %s\n", logging.error().message.c_str());
            return ExitCode::io;
        }
        sites.emplace_back(options.configs[i], std::move((*loaded)[i]), std::move(*logging), clock,
                           notifiers[i]);
        attended.push_back(sites.back().attended());
    }
    return service::run_with_signals(attended, signals);
}

}  // namespace sg::cli
