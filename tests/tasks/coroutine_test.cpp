// Waiting: futures and coroutines.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

template <class T>
Async await_into(Pending<T> pending, std::vector<std::string>& seen, std::thread::id* where = nullptr) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await pending;
            seen.push_back("done");
        } else {
            const T value = co_await pending;
            seen.push_back("value");
            static_cast<void>(value);
        }
    } catch (const Stopped&) {
        seen.push_back("stopped");
    } catch (const std::exception& error) {
        seen.push_back(error.what());
    }
    if (where != nullptr) *where = std::this_thread::get_id();
}

struct Own : std::runtime_error {
    Own() : std::runtime_error("own type") {}
};

/// What a callback's host is.
struct Told final : Completion {
    void succeeded() noexcept override { ++ok; }
    void failed(std::exception_ptr why) noexcept override {
        ++bad;
        try {
            std::rethrow_exception(why);
        } catch (const std::exception& error) {
            text = error.what();
        }
    }
    std::atomic<int> ok{0}, bad{0};
    std::string text;
};

Async step(TaskManager& m, std::vector<std::string>& seen, std::string text) {
    auto work = m.async([text](std::stop_token) { return text + "!"; });
    seen.push_back(co_await work);
}

Async two_steps(TaskManager& m, std::vector<std::string>& seen) {
    auto first = step(m, seen, "a text that is too long for the small string");
    co_await first;
    auto second = step(m, seen, "and another one that is just as long");
    co_await second;
    throw Own();
}

template <class T>
concept awaits_a_temporary = requires(T pending) {
    std::move(pending).operator co_await();
};
static_assert(!awaits_a_temporary<Pending<int>> && !awaits_a_temporary<Async>);

}  // namespace

TEST_CASE(
    "T89 T90 T92 T97 a coroutine resumes on the owner's thread, in a run of its own, with the value or the "
    "stop") {
    Rig rig(1);
    std::vector<std::string> seen;
    std::thread::id where;
    Gate gate;
    auto held = rig.m->add_task(gate.work(1));
    await_into<json>(held, seen, &where).detach();
    int posted = 0;
    for (int i = 0; i < 20; ++i) rig.loop.executor()([&] { ++posted; });
    rig.loop.poll();
    CHECK((posted == 20 && seen.empty()));
    gate.open();
    REQUIRE(rig.loop.run_until([&] { return !seen.empty(); }, 30s));
    CHECK(where == std::this_thread::get_id());
    await_into<json>(held, seen).detach();
    CHECK(seen.size() == 1);
    rig.loop.poll();
    CHECK(seen == std::vector<std::string>{"value", "value"});
    Gate never;
    auto stopped = rig.m->add_task(never.work());
    REQUIRE(never.wait_entered());
    await_into<json>(stopped, seen).detach();
    CHECK(stopped.stop());
    rig.loop.poll();
    CHECK(seen.back() == "stopped");
    never.open();
}

TEST_CASE("T91 T94 T95 T96 waiting gives what the work gave, of any type, to any number") {
    Rig rig(1);
    std::vector<std::string> seen;
    auto own = rig.m->async([](std::stop_token) -> int { throw Own(); });
    CHECK_THROWS_AS(own.get(), Own);
    await_into<int>(own, seen).detach();
    rig.loop.poll();
    CHECK(seen == std::vector<std::string>{"own type"});
    seen.clear();
    Recorder rec(*rig.m);
    Gate gate;
    auto thread = rig.m->async([gate](std::stop_token) {
        gate.pass();
        return std::this_thread::get_id();
    });
    for (int i = 0; i < 3; ++i) await_into<std::thread::id>(thread, seen).detach();
    const auto first = thread.future(), second = thread.future();
    gate.open();
    CHECK(first.get() == second.get());
    auto nothing = rig.m->async([](std::stop_token) {});
    await_into<void>(nothing, seen).detach();
    nothing.get();
    REQUIRE(rig.loop.run_until([&] { return seen.size() == 4; }, 30s));
    CHECK(seen == std::vector<std::string>{"value", "value", "value", "done"});
    REQUIRE(rig.settle());
    CHECK(rec.kinds() == "cc");
    CHECK(rec.all()[0].result.is_null());
}

TEST_CASE("T93 T98 T99 a coroutine may be destroyed, outlive the shut-down, or throw") {
    Rig rig(1);
    Gate gate;
    auto held = rig.m->add_task(gate.work());
    {
        Pending<json>::Awaiter awaiter = held.operator co_await();
        awaiter.await_suspend(std::noop_coroutine());
    }
    const auto throws = [](Pending<json> pending) -> Async {
        co_await pending;
        throw std::runtime_error("after a resume");
    };
    throws(held).detach();
    gate.open();
    REQUIRE(rig.loop.run_until([&] { return rig.errors == 1; }, 30s));
    rig.m
        ->on_task_completed([&](Uid, const std::optional<Group>&, const json&) -> Async {
            throw std::runtime_error("at once");
            co_return;
        })
        .keep();
    rig.m->add_task(gives(1));
    REQUIRE(rig.loop.run_until([&] { return rig.errors == 2; }, 30s));
    std::vector<std::string> seen;
    Gate never;
    await_into<json>(rig.m->add_task(never.work()), seen).detach();
    REQUIRE(never.wait_entered());
    std::jthread ends([&] { rig.m->shut_down(); });
    REQUIRE(rig.loop.run_until([&] { return !seen.empty(); }, 30s));
    CHECK(seen == std::vector<std::string>{"stopped"});
    never.open();
}

TEST_CASE("T100 a task that waits for its own manager is told so instead of hanging") {
    Rig rig(1);
    auto settled = rig.m->add_task(gives(5));
    settled.get();
    const auto task = rig.m->add_task([&](const TaskContext&) {
        auto other = rig.m->add_task(gives(1));
        int count = 0;
        try {
            other.get();
        } catch (const Deadlock&) {
            ++count;
        }
        try {
            static_cast<void>(other.future());
        } catch (const Deadlock&) {
            ++count;
        }
        return json{count, settled.get()};
    });
    CHECK(task.get() == json{2, 5});
}

TEST_CASE("a coroutine waits for its steps, and its end reaches whoever called it") {
    Rig rig(2);
    std::vector<std::string> seen;
    Told told;
    auto both = two_steps(*rig.m, seen);
    both.tell_when_ended(told);
    REQUIRE(rig.loop.run_until([&] { return told.bad == 1; }, 30s));
    CHECK(told.text == "own type");
    CHECK(seen == std::vector<std::string>{"a text that is too long for the small string!",
                                           "and another one that is just as long!"});
    Told at_once;
    const auto quick = []() -> Async { co_return; };
    auto ended = quick();
    ended.tell_when_ended(at_once);
    CHECK(at_once.ok == 1);
}
