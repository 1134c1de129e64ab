// A plugin that is behind is its own business.

#include "e2e/laggard.hpp"

TEST_CASE("C78 a plugin that is 20,000 events behind costs nine that are current nothing") {
    sg::test::check_laggard(20'000, 64 * 1024);
}
