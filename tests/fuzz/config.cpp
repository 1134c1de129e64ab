// The configuration file. What it accepts can be shown.

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.hpp"
#include "fuzz/fuzz.hpp"
#include "util/fd.hpp"

using namespace sg;

void fuzz(std::string_view input) {
    const UniqueFd file(::memfd_create("config", MFD_CLOEXEC));
    SG_MUST(::fchmod(file.get(), 0600) == 0);  // it is everyone's otherwise, and refused
    SG_MUST(::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()));
    const auto loaded = config::load("/proc/self/fd/" + std::to_string(file.get()), [](const std::string&) {
        return std::optional<std::string>("from the environment");
    });
    if (loaded) return SG_MUST(!config::show(loaded->config).empty());
    SG_MUST(!loaded.error().empty());
    for (const auto& problem : loaded.error()) SG_MUST(!problem.to_string().empty());
}
