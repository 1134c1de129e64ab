// How a manager ends, and a program that has one.

#include "e2e/process.hpp"
#include "tasks/fixture.hpp"
#include "temp_dir.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T76 T77 a shut-down ends all futures at once and returns when nothing runs any more") {
    Rig rig(3);
    const Recorder rec(*rig.m);
    Gate gate;
    std::vector<Pending<json>> list;
    std::atomic<int> stopped{0}, ran{0};
    for (int i = 0; i < 3; ++i)
        list.push_back(rig.m->add_task([&](const TaskContext& context) {
            const std::stop_callback told(context.stop, [&] { ++stopped; });
            gate.pass();
            return json();
        }));
    REQUIRE(gate.wait_entered(3));
    for (int i = 0; i < 1000; ++i)
        list.push_back(rig.m->add_task(
            [&](const TaskContext&) {
                ++ran;
                return json();
            },
            with({list[list.size() - 3]})));
    std::atomic<bool> returned{false};
    std::jthread ends([&] {
        rig.m->shut_down();
        returned = true;
    });
    REQUIRE(wait_for([&] { return stopped == 3; }));
    for (const auto& task : list) REQUIRE(throws<Stopped>([&] { task.get(); }));
    CHECK_FALSE(returned);
    gate.open();
    ends.join();
    while (rig.loop.poll() > 0) continue;
    CHECK(rec.all().empty());
    CHECK(ran == 0);
    CHECK_THROWS_AS(rig.m->add_task(gives(1)), Closed);
    CHECK_THROWS_AS(rig.m->start_processing(), Closed);
    rig.m->pause_processing();
    CHECK(rig.m->stop_all_tasks() == 0);
    CHECK(rig.m->shut_down());
}

TEST_CASE("T78 T79 a slot may shut its manager down, a task may not") {
    Rig rig(2);
    CHECK_THROWS_AS(rig.m
                        ->add_task([&](const TaskContext&) {
                            rig.m->shut_down();
                            return json();
                        })
                        .get(),
                    std::logic_error);
    int calls = 0;
    const auto connection = rig.m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) {
        ++calls;
        CHECK_FALSE(rig.m->wait_idle(1h));
        CHECK(rig.m->shut_down());
    });
    for (int i = 0; i < 6; ++i) rig.m->add_task(gives(i)).get();
    REQUIRE(rig.settle());
    CHECK(calls == 1);
}

TEST_CASE("T80 a shut-down with a limit gives up waiting, and the destructor does not") {
    Gate gate;
    std::optional<Rig> rig(std::in_place, 1);
    rig->m->add_task(gate.work());
    REQUIRE(gate.wait_entered());
    CHECK_FALSE(rig->shut_down_with_limit());
    gate.open();
    rig.reset();
}

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
