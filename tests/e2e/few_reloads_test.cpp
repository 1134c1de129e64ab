// As many reloads as the gate has time for; reloads_test.cpp has all of them.

#include "e2e/under_reloads.hpp"

TEST_CASE("C108 twenty reloads under load leave nothing behind, and every event is handled once") {
    for (const auto* isolation : {"process", "thread"}) DYNAMIC_SECTION(isolation) {
            sg::test::UnderReloads(sg::test::plugin_to_reload("version_1"), isolation)
                .run(20, 16'384 + sg::test::kb_kept_by_sanitizer);
        }
}
