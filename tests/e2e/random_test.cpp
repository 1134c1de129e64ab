// As many seeds as a gate has time for.

#include "catch.hpp"
#include "e2e/random_play.hpp"

TEST_CASE("whatever happens, every callback has every event: plugins in processes", "[e2e]") {
    sg::test::random_run::play_seeds("process", SG_USUAL_SEEDS);
}

TEST_CASE("whatever happens, every callback has every event: plugins in threads", "[e2e]") {
    sg::test::random_run::play_seeds("thread", SG_USUAL_SEEDS);
}
