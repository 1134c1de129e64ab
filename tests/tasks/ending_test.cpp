// How a program ends that has a manager.

#include "e2e/process.hpp"
#include "tasks/fixture.hpp"
#include "temp_dir.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T81 a program ends in good order with outcomes that nobody was told of") {
    const TempDir dir;
    const auto ran = run_to_end({SG_TASKS_ENDS, "undelivered"}, dir.path());
    INFO(ran.err);
    CHECK(ran.ended == Ended{0, 0});
}

TEST_CASE("T82 a program ends in good order with a manager of static lifetime that nobody shut down") {
    const TempDir dir;
    const auto ran = run_to_end({SG_TASKS_ENDS, "static"}, dir.path());
    INFO(ran.err);
    CHECK(ran.ended == Ended{0, 0});
}

TEST_CASE("T83 a task that lets go of the last reference to its manager ends the program and is told why") {
    const TempDir dir;
    const auto ran = run_to_end({SG_TASKS_ENDS, "within"}, dir.path());
    INFO(ran.err);
    CHECK(ran.ended == Ended{-1, SIGABRT});
    CHECK(ran.err.find("let go of the last reference to its own task manager") != std::string::npos);
}
