// Stopping, groups, pauses, the end, bounds and timeouts.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// U before M and S, M before E.
struct Web {
    explicit Web(TaskManager& m) {
        const auto run = [this](const char* who) {
            return [this, who](const TaskContext& context) {
                json absent = json::array();
                for (const auto uid : context.absent) absent.push_back(uid.value());
                std::lock_guard lock(mutex);
                ran[who] = absent;
                return json();
            };
        };
        u.emplace(m.add_task(run("U")));
        mid.emplace(m.add_task(run("M"), with({*u})));
        s.emplace(m.add_task(run("S"), with({*u})));
        e.emplace(m.add_task(run("E"), with({*mid})));
    }
    std::optional<Pending<json>> u, mid, s, e;
    std::mutex mutex;
    std::map<std::string, json> ran;
};

json only(Uid uid) { return json::array({uid.value()}); }

}  // namespace

TEST_CASE("T33 T34 T35 T38 T63 what has not started and is stopped never runs, and is told of once") {
    Rig rig(1, false);
    const Recorder rec(*rig.m);
    std::atomic<int> ran{0};
    const Work counts = [&](const TaskContext&) {
        ++ran;
        return json();
    };
    const auto one = rig.m->add_task(counts, at(1)), other = rig.m->add_task(counts);
    const auto waits = rig.m->add_task(counts, with({other})), goes_on = rig.m->add_task(counts);
    CHECK(rig.m->stop_task(one) == 1);
    CHECK(rig.m->stop_task(one) == 0);
    CHECK(rig.m->stop_task(other) == 2);
    CHECK(rig.m->stop_task(Uid(goes_on.uid().value() + 100)) == 0);
    CHECK(rig.m->stop_task_group("nobody") == 0);
    CHECK(throws<Stopped>([&] { waits.get(); }));
    rig.m->start_processing();
    REQUIRE(rig.settle());
    CHECK((rec.of(one) == "s" && rec.of(other) == "s" && rec.of(waits) == "s" && rec.of(goes_on) == "c"));
    CHECK(ran == 1);
    CHECK(rig.m->stop_task(goes_on) == 0);
    CHECK_FALSE(goes_on.stop());
    REQUIRE(rig.settle());
    CHECK(rec.all().size() == 4);
}

TEST_CASE("T36 a running task that is stopped ends at once, and its worker when the callable returns") {
    Rig rig(1);
    const Recorder rec(*rig.m);
    Gate gate;
    std::stop_token token;
    const auto task = rig.m->add_task([&](const TaskContext& context) {
        token = context.stop;
        gate.pass();
        return json();
    });
    REQUIRE(gate.wait_entered());
    CHECK(rig.m->stop_task(task) == 1);
    CHECK(token.stop_requested());
    rig.loop.poll();
    CHECK(rec.of(task) == "s");
    CHECK(rig.m->stats().discarded_running == 1);
    gate.open();
    CHECK(rig.m->add_task(gives(3)).get() == 3);
    REQUIRE(rig.settle());
    CHECK(rec.of(task) == "s");
    CHECK(rig.m->stats().threads == 1);
}

TEST_CASE("T37 T43 a settled task that is stopped is told of as stopped, and its future keeps the value") {
    Rig rig(1);
    const Recorder rec(*rig.m);
    const auto task = rig.m->add_task(gives(5));
    CHECK(task.get() == 5);
    CHECK(task.state() == TaskState::settled);
    CHECK(rig.m->stop_task(task) == 1);
    REQUIRE(rig.settle());
    CHECK(rec.of(task) == "s");
    CHECK(task.get() == 5);
    Gate gate;
    const auto up = rig.m->add_task(gives(1));
    up.get();
    rig.m->add_task(gate.work(), at(5));
    REQUIRE(gate.wait_entered());
    const auto down = rig.m->add_task(gives(1), with({up}));
    CHECK(rig.m->stop_task(down) == 1);
    gate.open();
    REQUIRE(rig.settle());
    CHECK((rec.of(up) == "c" && rec.of(down) == "s"));
}

TEST_CASE("T39 T40 T41 T42 T50 a stop goes up and down as far as it is told to") {
    const auto ended = [](const Recorder& rec, const Web& web) {
        return rec.of(*web.u) + rec.of(*web.mid) + rec.of(*web.s) + rec.of(*web.e);
    };
    for (const bool up : {true, false})
        for (const bool down : {true, false}) {
            DYNAMIC_SECTION("up " << up << " down " << down) {
                Rig rig(1, false);
                const Recorder rec(*rig.m);
                Web web(*rig.m);
                CHECK(rig.m->stop_task(*web.mid, {up, down}) == (up && down ? 4u : up || down ? 2u : 1u));
                rig.m->start_processing();
                REQUIRE(rig.settle());
                if (up && down) CHECK(ended(rec, web) == "ssss");
                if (!up && down) CHECK(ended(rec, web) == "cscs");
                if (!up && !down) CHECK((ended(rec, web) == "cscc" && web.ran["E"] == only(*web.mid)));
                if (up && !down) {
                    CHECK(ended(rec, web) == "sscc");
                    CHECK(web.ran["S"] == only(*web.u));
                    CHECK(web.ran["E"] == only(*web.mid));
                }
            }
        }
    Rig rig(1, false);
    const Recorder rec(*rig.m);
    Web web(*rig.m);
    CHECK(web.e->stop());
    REQUIRE(rig.settle());
    CHECK(ended(rec, web) == "ssss");
}

TEST_CASE("T44 T45 groups are no boundary for a stop that goes up") {
    for (const bool up : {true, false}) {
        Rig rig(1, false);
        const Recorder rec(*rig.m);
        const auto u = rig.m->add_task(gives(1), in("io")), x = rig.m->add_task(gives(1), in("io"));
        const auto d = rig.m->add_task(gives(1), in("g", {u}));
        CHECK(rig.m->stop_task_group("g", {up, true}) == (up ? 2u : 1u));
        rig.m->start_processing();
        REQUIRE(rig.settle());
        CHECK((rec.of(u) == (up ? "s" : "c") && rec.of(x) == "c" && rec.of(d) == "s"));
    }
}

TEST_CASE("T46 T55 everything can be stopped, and work that comes later runs") {
    Rig rig(2);
    const Recorder rec(*rig.m);
    Gate gate;
    for (int i = 0; i < 2; ++i) rig.m->add_task(gate.work(), in("g"));
    REQUIRE(gate.wait_entered(2));
    for (int i = 0; i < 50; ++i) rig.m->add_task(gives(i), in("g"));
    CHECK(rig.m->stop_all_tasks() == 52);
    while (rig.m->stats().undelivered > 0) rig.loop.poll();
    CHECK(rec.count('s') == 52);
    CHECK(rec.count('g') == 1);
    const auto later = rig.m->add_task(gives("later"));
    gate.open();
    CHECK(later.get() == "later");
    REQUIRE(rig.settle());
    CHECK(rec.count('c') == 1);
}

TEST_CASE("T47 T57 T58 a slot may stop its group or add to it, and the group ends when it is empty") {
    Rig rig(1, false);
    Recorder rec(*rig.m);
    int times = 0;
    const auto connection =
        rig.m->on_task_completed([&](Uid, const std::optional<Group>& group, const json&) {
            if (++times == 1) rig.m->stop_task_group(*group);
            if (times == 2) rig.m->add_task(gives(1), in("h"));
        });
    for (int i = 0; i < 3; ++i) rig.m->add_task(gives(i), in("g"));
    rig.m->start_processing();
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "cssg");
    rig.m->add_task(gives(1), in("h"));
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "cssgccg");
    rig.m->add_task(gives(1), in("h"));
    rig.m->add_task(gives(1));
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "cssgccgcgc");
}

TEST_CASE("T48 T49 the caller's own token stops a task, before and after it has started") {
    Rig rig(1);
    const Recorder rec(*rig.m);
    std::stop_source source;
    TaskSpec spec;
    spec.stop = source.get_token();
    Gate gate;
    std::stop_token token;
    const auto task = rig.m->add_task(
        [&](const TaskContext& context) {
            token = context.stop;
            gate.pass();
            return json();
        },
        spec);
    REQUIRE(gate.wait_entered());
    source.request_stop();
    CHECK(token.stop_requested());
    std::atomic<bool> ran{false};
    const auto late = rig.m->add_task(
        [&](const TaskContext&) {
            ran = true;
            return json();
        },
        spec);
    gate.open();
    REQUIRE(rig.settle());
    CHECK((rec.of(task) == "s" && rec.of(late) == "s" && !ran));
}

TEST_CASE("T51 a callable is let go of when it has returned, or before the stop that ended it returns") {
    struct Told {
        std::atomic<int>* gone;
        ~Told() { ++*gone; }
    };
    std::atomic<int> gone{0};
    const auto capturing = [&](Gate gate) -> Work {
        return [told = std::make_shared<Told>(&gone), gate](const TaskContext&) {
            gate.pass();
            return json();
        };
    };
    Rig rig(1);
    int seen = -1;
    const auto connection =
        rig.m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { seen = gone; });
    Gate open;
    open.open();
    rig.m->add_task(capturing(open));
    REQUIRE(rig.settle());
    CHECK(seen == 1);
    Gate gate;
    const auto running = rig.m->add_task(capturing(gate));
    REQUIRE(gate.wait_entered());
    const auto queued = rig.m->add_task(capturing(gate));
    queued.stop();
    CHECK(gone == 2);
    running.stop();
    CHECK(gone == 2);
    gate.open();
    REQUIRE(rig.settle());
    CHECK(gone == 3);
}

TEST_CASE("T52 T53 T54 T59 groups are told apart, and end once, however their members end") {
    auto a = make_task_manager(), b = make_task_manager();
    std::vector<Group> groups{"0", "1"};
    for (int i = 0; i < 100; ++i)
        for (auto& manager : {a, b}) {
            groups.push_back(manager->next_group_id());
            groups.emplace_back(groups.back().str());
        }
    std::sort(groups.begin(), groups.end());
    CHECK(std::adjacent_find(groups.begin(), groups.end()) == groups.end());
    Rig rig(1);
    const Recorder rec(*rig.m);
    for (int i = 0; i < 3; ++i) rig.m->add_task(gives(i), in("g"));
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "cccg");
    rig.m->pause_processing();
    std::vector<Pending<json>> list;
    for (int i = 0; i < 3; ++i) list.push_back(rig.m->add_task(gives(i), in("g")));
    for (const auto& task : list) CHECK(task.stop());
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "cccgsssg");
}

TEST_CASE("T60 a group whose members complete, fail and are stopped at random ends exactly once, last") {
    for (int round = 0; round < rounds(200); ++round) {
        Rig rig(8, false);
        const Recorder rec(*rig.m);
        std::vector<Uid> list;
        for (int i = 0; i < 300; ++i)
            list.push_back(rig.m->add_task(
                [i](const TaskContext&) -> json {
                    if (i % 7 == 0) throw std::runtime_error("boom");
                    return i;
                },
                in("g")));
        rig.m->start_processing();
        for (std::size_t i = 0; i < list.size(); i += 5) rig.m->stop_task(list[i]);
        REQUIRE(rig.settle());
        CHECK(rec.count('g') == 1);
        CHECK(rec.all().back().kind == 'g');
        CHECK(rec.all().size() == 301);
    }
}

TEST_CASE("T61 T62 T64 in a pause nothing starts, and what runs is delivered") {
    Rig rig(1);
    const Recorder rec(*rig.m);
    Gate gate;
    const auto first = rig.m->add_task(gate.work());
    REQUIRE(gate.wait_entered());
    const auto second = rig.m->add_task(gives(2));
    rig.m->pause_processing();
    rig.m->pause_processing();
    gate.open();
    std::atomic<bool> idle{false}, over{false};
    std::jthread waits([&] {
        idle = rig.m->wait_idle(1h);
        over = true;
    });
    REQUIRE(wait_for([&] {
        rig.loop.poll();
        return over.load();
    }));
    CHECK(idle);
    CHECK((rec.of(first) == "c" && second.state() == TaskState::ready));
    rig.m->start_processing();
    CHECK(second.get() == 2);
}

TEST_CASE("T84 work beyond the limit is refused until something leaves the queue") {
    tasks::Options options;
    options.max_pending = 10;
    Rig rig(1, true, options);
    Gate gate;
    rig.m->add_task(gate.work());
    REQUIRE(gate.wait_entered());
    std::vector<Pending<json>> list;
    for (int i = 0; i < 10; ++i) list.push_back(rig.m->add_task(gives(i)));
    CHECK_THROWS_AS(rig.m->add_task(gives(1)), QueueFull);
    list.back().stop();
    CHECK_NOTHROW(rig.m->add_task(gives(1)));
    gate.open();
    REQUIRE(rig.settle());
}

TEST_CASE("T87 T88 a task that runs longer than it may fails at its limit by the clock") {
    Rig rig(1);
    const Recorder rec(*rig.m);
    Gate gate;
    std::stop_token token;
    TaskSpec spec;
    spec.timeout = 100ms;
    const auto task = rig.m->add_task(
        [&](const TaskContext& context) {
            token = context.stop;
            gate.pass();
            return json();
        },
        spec);
    REQUIRE(gate.wait_entered());
    rig.clock->advance(99ms);
    CHECK(task.state() == TaskState::running);
    rig.clock->advance(1ms);
    CHECK_THROWS_AS(task.get(), TimedOut);
    CHECK(text_of([&] { task.get(); }).find("100 ms") != std::string::npos);
    CHECK(wait_for([&] { return token.stop_requested(); }));
    gate.open();
    CHECK(rig.m->add_task(gives(4), spec).get() == 4);
    rig.clock->advance(1s);
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "fc");
    CHECK(rig.m->stats().threads == 1);
}
