#include "cli/at_hand.hpp"

#include <cstdio>

#include "config/load.hpp"

namespace sg::cli {

using service::ExitCode;

tl::expected<AtHand, ExitCode> open_at_hand(const std::filesystem::path& config) {
    auto loaded = config::load(config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
        return tl::unexpected(ExitCode::config);
    }
    logging::Logging::Options options;
    options.level = LogLevel::warning;
    options.secrets = loaded->config.secrets();
    auto logging = logging::Logging::open(std::move(options));
    if (!logging) {
        std::fprintf(stderr, "sgeventd: %s\n", logging.error().message.c_str());
        return tl::unexpected(ExitCode::io);
    }
    return AtHand{std::move(loaded->config), std::move(*logging)};
}

}  // namespace sg::cli
