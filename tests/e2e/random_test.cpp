// As many seeds as a gate has time for.

#include "catch.hpp"
#include "e2e/random_play.hpp"

TEST_CASE("whatever happens, every callback has every event: plugins in processes", "[e2e]") {
    sg::test::random_run::play_seeds("process", 25);
}

TEST_CASE("whatever happens, every callback has every event: plugins in threads", "[e2e]") {
    sg::test::random_run::play_seeds("thread", 25);
}
