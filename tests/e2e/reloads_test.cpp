// Reloads without end, as of a plugin that is being worked on. Labelled long.

#include <cstdlib>

#include "e2e/under_reloads.hpp"

namespace {

int reloads_wanted() {
    const char* given = std::getenv("SG_TEST_RELOADS");
    return given != nullptr ? std::atoi(given) : 500;
}

}  // namespace

TEST_CASE("C108 500 reloads under load leave nothing behind, and every event is handled once") {
    for (const auto* plugin : {"version_1", "laden"})
        for (const auto* isolation : {"process", "thread"}) DYNAMIC_SECTION(plugin << " in a " << isolation) {
                std::cout << plugin << " in a " << isolation << std::endl;
                sg::test::UnderReloads(sg::test::plugin_to_reload(plugin), isolation)
                    .run(reloads_wanted(), 8'192 + sg::test::kb_kept_by_sanitizer);
            }
}
