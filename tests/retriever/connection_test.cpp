// One connection per call that runs, and never one for two.

#include "retriever/fixture.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T140: there are no more clones than threads, and none is used twice at once") {
    Rig rig(4);
    const auto data = rig.make();
    std::vector<Request> all;
    for (int i = 0; i < 400; ++i) all.push_back(data->execute_find(rig.args_of_find()));
    for (const auto& request : all) CHECK(request.get().type == "find");
    CHECK(rig.studio.counts->clones <= 4);
    CHECK(rig.studio.counts->overlaps == 0);
    CHECK(rig.studio.counts->prototype_calls == 0);
}

TEST_CASE("T141: one call at a time needs one clone") {
    Rig rig(4);
    const auto data = rig.make();
    CHECK(rig.studio.counts->clones == 0);
    for (int i = 0; i < 50; ++i) static_cast<void>(data->execute_find(rig.args_of_find()).get());
    CHECK(rig.studio.counts->clones == 1);
}

TEST_CASE("T142: a connection that gave no answer is not used again, one that refused is") {
    Rig rig(1);
    const auto data = rig.make();
    const auto fails = [&](const Fault& fault) {
        rig.studio.site.inject(fault.on("read"));
        const auto request = data->execute_find(rig.args_of_find());
        CHECK(throws<Error>([&] { static_cast<void>(request.get()); }));
    };
    fails(Fault::cut_in_body());
    static_cast<void>(data->execute_find(rig.args_of_find()).get());
    CHECK(rig.studio.counts->clones == 2);
    fails(Fault::status(500));
    fails(Fault::refused(104, "no such field"));
    static_cast<void>(data->execute_find(rig.args_of_find()).get());
    CHECK(rig.studio.counts->clones == 2);
    CHECK(rig.studio.counts->on_one_connection() == 2);
}
