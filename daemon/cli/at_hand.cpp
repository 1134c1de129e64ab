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

tl::expected<std::unique_ptr<checkpoint::Store>, ExitCode> open_state(const std::filesystem::path& directory,
                                                                      Clock& clock, Logger& log) {
    std::error_code unknown;
    if (!std::filesystem::exists(directory / "lock", unknown)) return nullptr;
    checkpoint::Store::Options options;
    options.directory = directory;
    options.as = checkpoint::Store::As::visitor;
    auto opened = checkpoint::Store::open(std::move(options), clock, log);
    if (opened) return std::move(*opened);
    const auto refusal = checkpoint::open_refusal(opened.error());
    const bool is_locked = refusal == checkpoint::OpenRefusal::locked;
    std::fprintf(stderr, "sgeventd: %s%s\n", opened.error().message.c_str(),
                 is_locked ? ", and does not answer on its socket" : "");
    if (is_locked) return tl::unexpected(ExitCode::locked);
    return tl::unexpected(refusal == checkpoint::OpenRefusal::damaged ? ExitCode::state_refused
                                                                      : ExitCode::io);
}

}  // namespace sg::cli
