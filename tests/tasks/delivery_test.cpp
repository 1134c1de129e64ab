// Slots and executors.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T66 on an executor with several threads slots come one at a time, in the order of settling") {
    auto pool = make_task_manager({.start_processing = true, .max_threads = 4});
    tasks::Options options;
    options.start_processing = true;
    options.max_threads = 1;
    options.executor = [pool](std::function<void()> closure) {
        pool->add_task([closure = std::move(closure)](const TaskContext&) {
            closure();
            return json();
        });
    };
    std::atomic<int> inside{0}, most{0}, count{0};
    std::vector<Uid> order;
    {
        auto m = make_task_manager(options);
        m->on_task_completed([&](Uid uid, const std::optional<Group>&, const json&) {
             if (++inside > 1) most = 2;
             order.push_back(uid);
             --inside;
             ++count;
         }).keep();
        for (int i = 0; i < 10'000; ++i) m->add_task(gives(i));
        REQUIRE(wait_for([&] { return count == 10'000; }));
        CHECK(m->wait_idle(30s));
    }
    CHECK(most == 0);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("T67 without an executor all is delivered on one thread that is not a worker's") {
    auto m = make_task_manager({.start_processing = true, .max_threads = 4});
    Recorder rec(*m);
    std::mutex mutex;
    std::vector<std::thread::id> workers;
    for (int i = 0; i < 100; ++i)
        m->add_task([&](const TaskContext&) {
            std::lock_guard lock(mutex);
            workers.push_back(std::this_thread::get_id());
            return json();
        });
    REQUIRE(wait_for([&] { return rec.count('c') == 100; }));
    CHECK(rec.on_one_thread);
    CHECK(std::find(workers.begin(), workers.end(), rec.thread) == workers.end());
}

TEST_CASE("T68 a slot that throws is reported, and nobody else notices") {
    Rig rig(1);
    const auto bad = rig.m->on_task_completed(
        [](Uid, const std::optional<Group>&, const json&) { throw std::runtime_error("slot"); });
    const Recorder rec(*rig.m);
    rig.m->add_task(gives(1), in("g"));
    rig.m->add_task(gives(1));
    REQUIRE(rig.settle());
    CHECK(rig.errors == 2);
    CHECK(rec.kinds() == "cgc");
}

TEST_CASE("T69 T70 T71 T72 slots come and go at any time") {
    std::optional<Rig> rig(std::in_place, 1);
    int added = 0, gone = 0, kept = 0;
    Connection third, fresh;
    const auto first = rig->m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) {
        if (added == 0 && gone == 0) {
            fresh =
                rig->m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { ++added; });
            third.disconnect();
            gone = 1;
        }
    });
    third = rig->m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { gone = 100; });
    rig->m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { ++kept; }).keep();
    rig->m->add_task(gives(1));
    REQUIRE(rig->settle());
    CHECK((added == 0 && gone == 1 && kept == 1));
    rig->m->add_task(gives(1));
    REQUIRE(rig->settle());
    CHECK((added == 1 && gone == 1 && kept == 2));
    fresh = {};
    rig->m->add_task(gives(1));
    REQUIRE(rig->settle());
    CHECK((added == 1 && kept == 3));
    rig.reset();
}

TEST_CASE("T73 a loop may be gone before its manager") {
    auto loop = std::make_unique<EventLoop>();
    auto m = make_task_manager({.start_processing = true, .max_threads = 2, .executor = loop->executor()});
    Recorder rec(*m);
    const auto task = m->add_task(gives(1));
    loop.reset();
    CHECK(task.get() == 1);
    CHECK(m->add_task(gives(2)).get() == 2);
    m.reset();
    CHECK(rec.all().empty());
}

TEST_CASE("T74 a disconnect on another thread waits for the call in progress") {
    Rig rig(1);
    Gate gate;
    auto captured = std::make_shared<int>(1);
    std::weak_ptr<int> watched = captured;
    auto connection =
        rig.m->on_task_completed([gate, captured = std::move(captured)](Uid, const std::optional<Group>&,
                                                                        const json&) { gate.pass(); });
    rig.m->add_task(gives(1)).get();
    std::atomic<bool> returned{false}, was_gone{false};
    std::jthread other([&] {
        gate.wait_entered();
        std::jthread opens([&] { gate.open(); });
        connection.disconnect();
        was_gone = watched.expired();
        returned = true;
    });
    REQUIRE(wait_for([&] {
        rig.loop.poll();
        return returned.load();
    }));
    CHECK(was_gone);
}

TEST_CASE("T75 callables, slots and executors may call the manager") {
    std::shared_ptr<TaskManager> m;
    EventLoop loop;
    tasks::Options options;
    options.start_processing = true;
    options.executor = [&, executor = loop.executor()](std::function<void()> closure) {
        if (m) static_cast<void>(m->stats());
        executor(std::move(closure));
    };
    m = make_task_manager(options);
    int slots = 0;
    m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) {
         if (++slots < 5) m->add_task(gives(1));
         m->stop_task_group("none");
     }).keep();
    std::atomic<bool> inner{false};
    m->add_task([&](const TaskContext&) {
        m->add_task(gives(1));
        m->stop_task(Uid(1'000'000'000));
        m->pause_processing();
        m->start_processing();
        inner = true;
        return json();
    });
    CHECK(loop.run_until([&] { return inner && slots >= 6 && m->stats().undelivered == 0; }, 30s));
    m.reset();
}
