// What belongs to the caller is gone before the manager says that nothing runs: its library may be next.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// Its last copy waits at the gate when it is destroyed.
std::shared_ptr<const int> held(const Gate& gate) {
    return {new int(0), [gate](const int* number) {
                gate.pass();
                delete number;
            }};
}

/// Of a plugin's own type, with a destructor in the plugin.
struct Thrown : std::runtime_error {
    explicit Thrown(std::shared_ptr<const int> what) : std::runtime_error("thrown"), held(std::move(what)) {}
    std::shared_ptr<const int> held;
};

std::size_t on_threads(TaskManager& m) {
    const auto stats = m.stats();
    return stats.running + stats.discarded_running;
}

/// While the destructor waits at the gate, then once it has passed.
void check_counted_until_open(TaskManager& m, const Gate& gate) {
    REQUIRE(gate.wait_entered());
    CHECK(on_threads(m) == 1);
    CHECK_FALSE(m.wait_idle(0ms));
    gate.open();
    CHECK(wait_for([&] { return on_threads(m) == 0; }));
    CHECK(m.wait_idle(30s));
}

}  // namespace

TEST_CASE("what a stopped task throws is destroyed before the task counts as returned") {
    auto m = make_task_manager({.start_processing = true, .max_threads = 1});
    Gate run, gone;
    auto what = held(gone);
    const auto task = m->add_task([run, what = std::move(what)](const TaskContext&) mutable -> json {
        run.pass();
        throw Thrown(std::exchange(what, nullptr));
    });
    REQUIRE(run.wait_entered());
    REQUIRE(task.stop());
    run.open();
    check_counted_until_open(*m, gone);
}

TEST_CASE("what a stopped task gives is destroyed before the task counts as returned") {
    auto m = make_task_manager({.start_processing = true, .max_threads = 1});
    Gate run, gone;
    const auto task = m->async([run, what = held(gone)](std::stop_token) mutable {
        run.pass();
        return std::exchange(what, nullptr);
    });
    REQUIRE(run.wait_entered());
    REQUIRE(task.stop());
    run.open();
    check_counted_until_open(*m, gone);
}

TEST_CASE("what a task throws or gives that nobody keeps is destroyed before nothing counts as running") {
    for (const bool throws : {true, false}) {
        auto m = make_task_manager({.start_processing = true, .max_threads = 1});
        Gate run, gone;  // no `Pending` is left when it runs
        m->async([throws, run, what = held(gone)](std::stop_token) mutable {
            run.pass();
            if (throws) throw Thrown(std::exchange(what, nullptr));
            return std::exchange(what, nullptr);
        });
        run.open();
        check_counted_until_open(*m, gone);
    }
}

TEST_CASE("callables that fail with their upstream are destroyed before nothing counts as running") {
    auto m = make_task_manager({.start_processing = true, .max_threads = 1});
    Gate run, gone;
    const auto root = m->add_task([run](const TaskContext&) -> json {
        run.pass();
        throw std::runtime_error("boom");
    });
    m->add_task([what = held(gone)](const TaskContext&) { return json(*what); }, with({root}));
    run.open();
    check_counted_until_open(*m, gone);
}

TEST_CASE("what a task threw is destroyed before its manager is idle once its slots were called") {
    auto m = make_task_manager({.start_processing = true, .max_threads = 1});
    std::atomic<int> told{0};
    const auto connection =
        m->on_task_failed([&](Uid, const std::optional<Group>&, const TaskFailure&) { ++told; });
    Gate run, gone;
    m->add_task([run, what = held(gone)](const TaskContext&) mutable -> json {
        run.pass();
        throw Thrown(std::exchange(what, nullptr));
    });
    run.open();
    REQUIRE(gone.wait_entered());
    CHECK(told == 1);
    CHECK_FALSE(m->wait_idle(0ms));
    gone.open();
    CHECK(m->wait_idle(30s));
}

TEST_CASE("a shut-down with a limit gives up waiting for what a task left behind, too") {
    std::optional<Rig> rig(std::in_place, 1);
    Gate run, gone;
    rig->m->async([run, what = held(gone)](std::stop_token) mutable {
        run.pass();
        return std::exchange(what, nullptr);
    });
    run.open();
    REQUIRE(gone.wait_entered());
    CHECK_FALSE(rig->shut_down_with_limit());
    gone.open();
    CHECK(rig->m->shut_down());
    rig.reset();
}
