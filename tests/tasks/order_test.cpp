// Starting, order, upstream results and failures.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

/// Writes down who ran.
struct Order {
    Work note(int who) {
        return [this, who](const TaskContext&) {
            std::lock_guard lock(mutex);
            ran.push_back(who);
            return json(nullptr);
        };
    }
    std::mutex mutex;
    std::vector<int> ran;
};

}  // namespace

TEST_CASE(
    "T1 T2 T4 a manager starts nothing before it is told to, and one worker is enough for one task at a "
    "time") {
    auto m = make_task_manager();
    const auto task = m->add_task(gives(1));
    CHECK(task.state() == TaskState::ready);
    CHECK(m->stats().threads == 0);
    m->start_processing();
    CHECK(task.get() == 1);
    Rig rig(3);
    for (int i = 0; i < 20; ++i) CHECK(rig.m->add_task(gives(i)).get() == i);
    CHECK(rig.m->stats().threads == 1);
}

TEST_CASE("T3 T5 a manager makes as many threads as it may, eight by default, and no more") {
    Rig rig(0);
    Gate gate;
    for (int i = 0; i < 20; ++i) rig.m->add_task(gate.work());
    REQUIRE(gate.wait_entered(8));
    CHECK(rig.m->stats().ready == 12);
    CHECK(rig.m->stats().threads == 8);
    gate.open();
    REQUIRE(rig.settle());
    CHECK(gate.entered() == 20);
    CHECK(rig.m->stats().threads == 8);
}

TEST_CASE(
    "T6 T7 T8 T9 the highest priority runs first, then the task handed in first, and waiting ones block "
    "nobody") {
    Order order;
    {
        Rig rig(1, false);
        for (const int p : {0, 2, 10, 1, -1, -100}) rig.m->add_task(order.note(p), at(p));
        rig.m->start_processing();
        REQUIRE(rig.settle());
        CHECK(order.ran == std::vector{10, 2, 1, 0, -1, -100});
    }
    order.ran.clear();
    {
        Rig rig(1, false);
        const std::pair<int, int> list[] = {{'A', 0}, {'B', 5}, {'C', 5}, {'D', -1}, {'E', 5}, {'F', 0}};
        for (const auto& [who, priority] : list) rig.m->add_task(order.note(who), at(priority));
        rig.m->start_processing();
        REQUIRE(rig.settle());
        CHECK(order.ran == std::vector<int>{'B', 'C', 'E', 'A', 'F', 'D'});
    }
    order.ran.clear();
    {
        Rig rig(1, false);
        const auto u = rig.m->add_task(order.note('U'), at(-5));
        rig.m->add_task(order.note('H'), with({u}, 100));
        rig.m->add_task(order.note('N'), at(0));
        rig.m->start_processing();
        REQUIRE(rig.settle());
        CHECK(order.ran == std::vector<int>{'N', 'U', 'H'});
    }
    order.ran.clear();
    Rig rig(1);
    Gate gate;
    rig.m->add_task(gate.work());
    REQUIRE(gate.wait_entered());
    rig.m->add_task(order.note('L'), at(1));
    rig.m->add_task(order.note('H'), at(9));
    gate.open();
    REQUIRE(rig.settle());
    CHECK(order.ran == std::vector<int>{'H', 'L'});
}

TEST_CASE("T10 T11 uids are unique over managers, rise, and can be written and read") {
    auto a = make_task_manager(), b = make_task_manager();
    Uid last;
    for (int i = 0; i < 50; ++i) {
        const auto task = (i % 2 ? a : b)->add_task(gives(1));
        CHECK(last < task.uid());
        last = task.uid();
        CHECK(Uid::parse(last.str()) == last);
    }
    for (const char* bad : {"", "-1", "+1", "12x", "0", "99999999999999999999999"})
        CHECK_FALSE(Uid::parse(bad));
}

TEST_CASE("T12 T13 work without a function is refused and changes nothing, any other callable runs") {
    Rig rig(1);
    CHECK_THROWS_AS(rig.m->add_task(Work()), std::invalid_argument);
    CHECK(rig.m->stats().ready + rig.m->stats().running + rig.m->stats().threads == 0);
    struct Object {
        json operator()(const TaskContext&) const { return "object"; }
    };
    CHECK(rig.m->add_task(Object{}).get() == "object");
    CHECK(rig.m->add_task(std::bind([](int n) { return json(n); }, 5)).get() == 5);
    CHECK(rig.m->add_task([text = std::string("lambda")](const TaskContext&) { return json(text); }).get() ==
          "lambda");
}

TEST_CASE(
    "T14 T65 T85 T86 workers go on while the owner does not poll, up to the limit on undelivered outcomes") {
    {
        Rig rig(2);
        const Recorder rec(*rig.m);
        std::vector<Pending<json>> list;
        for (int i = 0; i < 50; ++i) list.push_back(rig.m->add_task(gives(i)));
        REQUIRE(wait_for([&] { return rig.m->stats().undelivered == 50; }));
        CHECK(rec.all().empty());
        REQUIRE(rig.settle());
        CHECK(rec.count('c') == 50);
        CHECK(rec.on_one_thread);
        CHECK(rec.thread == std::this_thread::get_id());
    }
    tasks::Options options;
    options.max_undelivered = 4;
    for (const bool listens : {true, false}) {
        Rig rig(2, true, options);
        std::optional<Recorder> rec;
        if (listens) rec.emplace(*rig.m);
        std::atomic<int> ran{0};
        for (int i = 0; i < 50; ++i)
            rig.m->add_task([&](const TaskContext&) {
                ++ran;
                return json();
            });
        if (listens) {
            REQUIRE(wait_for([&] { return rig.m->stats().undelivered >= 4 && rig.m->stats().running == 0; }));
            CHECK(ran <= 6);
            REQUIRE(rig.settle());
        }
        CHECK(wait_for([&] { return ran == 50; }));
    }
}

TEST_CASE(
    "T16 T17 T18 T19 T20 upstream objects overwrite named arguments in the order in which they are listed") {
    for (const bool p_last : {true, false}) {
        Rig rig(2);
        Gate first, second;
        const auto p = rig.m->add_task((p_last ? second : first).work({{"a", 1}, {"x", 1}}));
        const auto q = rig.m->add_task((p_last ? first : second).work({{"a", 2}, {"y", 2}}));
        auto spec = with({p, q, p});
        spec.kwargs = {{"a", "own"}, {"own", 1}};
        const auto merged = rig.m->add_pass_through_task(spec);
        first.open();
        (p_last ? q : p).get();
        second.open();
        CHECK(merged.get() == json{{"a", 2}, {"own", 1}, {"x", 1}, {"y", 2}});
    }
    Rig rig(1);
    for (const json& value : {json::array({1}), json("text"), json(5), json(), json::object()}) {
        const auto up = rig.m->add_task(gives(value));
        auto spec = with({up});
        spec.kwargs = {{"z", 1}};
        CHECK(rig.m->add_pass_through_task(spec).get() == json{{"z", 1}});
    }
    const auto up = rig.m->add_task(gives({{"d", {{"p", 1}}}}));
    auto spec = with({up});
    spec.kwargs = {{"d", {{"q", 2}}}};
    spec.args = json::array({1, 2});
    const auto told = [](const TaskContext& context) {
        return json{{"args", context.args}, {"kwargs", context.kwargs}};
    };
    CHECK(rig.m->add_task(told, spec).get() == json{{"args", {1, 2}}, {"kwargs", {{"d", {{"p", 1}}}}}});
    CHECK(rig.m->add_task(told).get() == json{{"args", json::array()}, {"kwargs", json::object()}});
    CHECK(rig.m->add_pass_through_task().get() == json::object());
}

TEST_CASE(
    "T21 T22 T23 T27 an upstream that has ended counts with what is known of it, and one that never was is "
    "refused") {
    Rig rig(1);
    const auto kept = rig.m->add_task(gives({{"a", 1}}));
    kept.get();
    const auto absent = [](const TaskContext& context) {
        auto list = json::array();
        for (const auto uid : context.absent) list.push_back(uid.value());
        return json{{"absent", list}, {"kwargs", context.kwargs}};
    };
    CHECK(rig.m->add_task(absent, with({kept})).get() ==
          json{{"absent", json::array()}, {"kwargs", {{"a", 1}}}});
    Uid forgotten;
    {
        const auto gone = rig.m->add_task(gives({{"a", 1}}));
        gone.get();
        forgotten = gone;
    }
    REQUIRE(wait_for([&] { return rig.m->stats().running == 0; }));
    REQUIRE(wait_for([&] {
        return rig.m->add_task(absent, with({forgotten})).get().at("absent") ==
               json::array({forgotten.value()});
    }));
    Rig other(1);
    const auto foreign = other.m->add_task(gives(1));
    for (const Uid bad : {foreign.uid(), Uid(), Uid(foreign.uid().value() + 1000)})
        CHECK_THROWS_AS(rig.m->add_task(gives(1), with({bad})), std::invalid_argument);
    CHECK(rig.m->stats().waiting + rig.m->stats().ready == 0);
    const auto failed = rig.m->add_task([](const TaskContext&) -> json { throw std::runtime_error("boom"); });
    CHECK_THROWS(failed.get());
    const Recorder rec(*rig.m);
    const auto dependant = rig.m->add_task(gives(1), with({failed}));
    CHECK_THROWS_WITH(dependant.get(), "boom");
    REQUIRE(rig.settle());
    REQUIRE(rec.of(dependant) == "f");
    CHECK(rec.all()[0].origin == failed.uid());
}

TEST_CASE("T24 T25 T26 each receiver has its own value, and a diamond runs and is told in order") {
    Rig rig(2);
    const Recorder rec(*rig.m);
    Gate top, left, right, end;
    const auto u = rig.m->add_task(top.work({{"l", json::array({1})}}));
    const auto a = rig.m->add_task(
        [left](const TaskContext& context) {
            json copy = context.kwargs;
            copy["l"].push_back(2);
            left.pass();
            return json();
        },
        with({u}));
    const auto b = rig.m->add_task(
        [right](const TaskContext& context) {
            right.pass();
            return context.kwargs;
        },
        with({u}));
    const auto c = rig.m->add_task(end.work(), with({a, b}));
    REQUIRE(top.wait_entered());
    CHECK(left.entered() + right.entered() + end.entered() == 0);
    top.open();
    REQUIRE((left.wait_entered() && right.wait_entered()));
    left.open();
    a.get();
    CHECK(end.entered() == 0);
    CHECK(c.state() == TaskState::waiting);
    right.open();
    end.open();
    CHECK(b.get() == json{{"l", {1}}});
    REQUIRE(rig.settle());
    const auto order = rec.uids();
    REQUIRE(order.size() == 4);
    CHECK(order.front() == u.uid());
    CHECK(order.back() == c.uid());
    CHECK(rec.all()[0].result == json{{"l", {1}}});
}

TEST_CASE("T28 T29 whatever a task throws is caught, has a text, and leaves the worker as it was") {
    Rig rig(1);
    std::string trace;
    Uid origin;
    const auto connection =
        rig.m->on_task_failed([&](Uid, const std::optional<Group>&, const TaskFailure& why) {
            CHECK_FALSE(why.message.empty());
            CHECK_FALSE(why.trace.empty());
            if (trace.empty()) {
                trace = why.trace;
                origin = why.origin;
                CHECK(why.message == "boom");
                CHECK_THROWS_AS(std::rethrow_exception(why.error), std::runtime_error);
            }
        });
    TaskSpec spec;
    spec.name = "publish";
    const auto task =
        rig.m->add_task([](const TaskContext&) -> json { throw std::runtime_error("boom"); }, spec);
    REQUIRE(rig.settle());
    CHECK(origin == task.uid());
    CHECK(trace.find(task.uid().str()) != std::string::npos);
    CHECK(trace.find("publish") != std::string::npos);
    rig.m->add_task([](const TaskContext&) -> json { throw 5; });
    rig.m->add_task([](const TaskContext&) -> json { throw std::runtime_error(""); });
    CHECK(rig.m->add_task(gives(7)).get() == 7);
    CHECK(rig.m->stats().threads == 1);
    REQUIRE(rig.settle());
}

TEST_CASE("T30 T31 T32 T56 a failure takes along what depends on it, once each, and nothing else") {
    const Work boom = [](const TaskContext&) -> json { throw std::runtime_error("boom"); };
    {
        Rig rig(1, false);
        const Recorder rec(*rig.m);
        auto sa = in("g"), sb = in("g"), sc = in("h");
        sa.priority = 1;
        const auto a = rig.m->add_task(boom, sa);
        sb.upstream = {a};
        const auto b = rig.m->add_task(gives(1), sb);
        sc.upstream = {b};
        sc.priority = 3;
        const auto c = rig.m->add_task(gives(1), sc);
        rig.m->start_processing();
        REQUIRE(rig.settle());
        CHECK(rec.uids() == std::vector<Uid>{a, b, c});
        CHECK(rec.kinds() == "ffgfg");
        for (const auto& one : rec.all())
            if (one.kind == 'f') CHECK((one.message == "boom" && one.origin == a.uid()));
    }
    {
        Rig rig(2);
        const Recorder rec(*rig.m);
        Gate gate;
        const auto s = rig.m->add_task(gate.work());
        REQUIRE(gate.wait_entered());
        Gate hold;
        const auto a = rig.m->add_task([hold](const TaskContext&) -> json {
            hold.pass();
            throw std::runtime_error("boom");
        });
        const auto c = rig.m->add_task(gives(1), with({a, s}));
        const auto d = rig.m->add_task(gives(1), with({c}));
        hold.open();
        CHECK_THROWS(d.get());
        gate.open();
        REQUIRE(rig.settle());
        CHECK((rec.of(a) == "f" && rec.of(c) == "f" && rec.of(d) == "f" && rec.of(s) == "c"));
    }
    Rig rig(2, false);
    const Recorder rec(*rig.m);
    const auto a = rig.m->add_task(boom), b = rig.m->add_task(boom);
    const auto both = rig.m->add_task(gives(1), with({a, b}));
    rig.m->start_processing();
    REQUIRE(rig.settle());
    CHECK(rec.of(both) == "f");
}
