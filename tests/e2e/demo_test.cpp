// `sgeventd demo`: the first thing that somebody sees of sgeventd.

#include "catch.hpp"
#include "e2e/process.hpp"
#include "temp_dir.hpp"

using namespace sg::test;

TEST_CASE("the demo ends by itself, with nothing but changes that were handled") {
    TempDir dir;
    const auto ran = run_to_end({SG_PROGRAM, "demo", "--seconds", "4"}, dir.path());
    INFO(ran.out << ran.err);
    CHECK(ran.ended == Ended{0, 0});
    CHECK(ran.out.find("recorder is ready") != std::string::npos);
    CHECK(ran.out.find("Every change was handled by every plugin that wanted it.") != std::string::npos);
    for (const char* trouble : {"cannot be loaded", "refused", "crashed", "failed"}) {
        CHECK(ran.out.find(trouble) == std::string::npos);
        CHECK(ran.err.find(trouble) == std::string::npos);
    }
}
