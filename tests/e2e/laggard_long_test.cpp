// The same from far away.

#include "e2e/laggard.hpp"

TEST_CASE("C78 a plugin that is a million events behind costs nine that are current nothing") {
    sg::test::check_laggard(1'000'000, 64 * 1024);
}
