// sgeventd check-config

#include <cstdio>

#include "cli/commands.hpp"
#include "config/reference.hpp"
#include "config/together.hpp"

namespace sg::cli {

ExitCode check_config_command(const CheckConfigOptions& options) {
    if (options.keys) {
        std::fputs(config::reference().c_str(), stdout);
        return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
    }
    const auto loaded = config::load_together(options.configs);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        std::fprintf(stderr, "sgeventd: %zu error%s in the configuration\n", loaded.error().size(),
                     loaded.error().size() == 1 ? "" : "s");
        return ExitCode::config;
    }
    for (std::size_t i = 0; i < loaded->size(); ++i) {
        const auto& [config, warnings] = (*loaded)[i];
        for (const auto& warning : warnings)
            std::fprintf(stderr, "%s (warning)\n", warning.to_string().c_str());
        if (options.show)
            std::printf("%s%s", i == 0 ? "" : "---\n", config::show(config).c_str());
        else
            std::printf("%s is fine\n", options.configs[i].c_str());
    }
    return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::io;
}

}  // namespace sg::cli
