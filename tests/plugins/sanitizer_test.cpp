// Hidden: a report is meant here, so each of these fails under its sanitizer although all of its checks hold.
// sanitizer_reports.sh runs them and wants that failure.

#include "plugins/rig.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("a host in which a sanitizer reports is noticed by nothing else", "[.][report]") {
    const auto* kind = std::getenv("SG_TEST_REPORT");
    REQUIRE(kind != nullptr);
    Rig rig({"misbehaves_unseen"});
    rig.start();
    REQUIRE(rig.wait_ready("misbehaves_unseen"));
    rig.deliver("misbehaves_unseen", 1, kind);
    const bool over =
        rig.wait([&] { return !rig.owner.ends.empty() || !rig.owner.outcomes["misbehaves_unseen"].empty(); });
    INFO(rig.everything_logged());
    CHECK(over);
}
