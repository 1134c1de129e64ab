// The same by the thousand.

#include "catch.hpp"
#include "e2e/random_play.hpp"

TEST_CASE("over many seeds every callback has every event: plugins in processes", "[e2e]") {
    sg::test::random_run::play_seeds("process", 5'000);
}

TEST_CASE("over many seeds every callback has every event: plugins in threads", "[e2e]") {
    sg::test::random_run::play_seeds("thread", 5'000);
}
