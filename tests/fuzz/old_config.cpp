// A configuration of shotgunEvents. Whatever becomes of it is YAML.

#include <yaml-cpp/yaml.h>

#include "fuzz/fuzz.hpp"
#include "legacy/old_config.hpp"

using namespace sg;

void fuzz(std::string_view input) {
    const auto old = legacy::IniFile::read(input);
    if (!old) return SG_MUST(!old.error().message.empty());
    const auto made = legacy::convert(
        *old, "old.conf",
        [](const std::string&) { return std::optional<std::string>("from the environment"); },
        legacy::SecretsAs::files);
    const auto read = YAML::Load(made.yaml);
    SG_MUST(read.IsMap() && read["site"].IsMap());
}
