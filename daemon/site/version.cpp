#include "site/version.hpp"

namespace sg::site {

Result<Version> Version::from_info(const nlohmann::json& info) {
    const auto bad = [] { return fail(Cause::bad_answer, "the site does not say its version"); };
    if (!info.is_object()) return bad();
    const auto found = info.find("version");
    if (found == info.end() || !found->is_array() || found->empty()) return bad();
    Version version;
    for (std::size_t i = 0; i < version.parts.size() && i < found->size(); ++i) {
        const auto& part = (*found)[i];
        if (!part.is_number_integer() || part < 0 || part > 1'000'000) return bad();
        version.parts[i] = part.get<int>();
    }
    return version;
}

std::string Version::text() const { return fmt::format("{}.{}.{}", parts[0], parts[1], parts[2]); }

Result<void> check_gate(const Gate& gate, const Version& site) {
    if (site >= gate.since) return {};
    return fail(Cause::not_supported, "the site is too old for {}: it is {}, and {} is needed", gate.what,
                site.text(), gate.since.text());
}

}  // namespace sg::site
