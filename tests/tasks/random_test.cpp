// Everything at once, at random. SG_TEST_SEED repeats a run, SG_TEST_OPERATIONS says how much of it.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

constexpr std::size_t most_pending = 200, most_undelivered = 200;

tasks::Options bounded() {
    tasks::Options options;
    options.max_pending = most_pending;
    options.max_undelivered = most_undelivered;
    return options;
}

struct Storm {
    /// One thread's part of it.
    void blow(unsigned thread, int operations);
    void one(std::mt19937& random, std::vector<Pending<json>>& own);
    void add(std::mt19937& random, std::vector<Pending<json>>& own);
    void add_until_stopped(std::vector<Pending<json>>& own);
    Async await(Pending<json> pending);

    /// Threads may not use the macros.
    void must(bool holds, const char* promise) {
        if (holds) return;
        std::lock_guard lock(mutex);
        broken.emplace_back(promise);
    }

    const unsigned seed = seed_of_run();
    Rig rig{8, true, bounded()};
    Recorder rec{*rig.m};
    std::vector<std::vector<Pending<json>>> handed_in{8};
    std::atomic<std::size_t> refused{0}, waits_begun{0}, waits_ended{0}, awaits{0}, resumes{0};
    std::mutex mutex;
    std::vector<std::string> broken;
};

std::string some_group(std::mt19937& random) { return std::string(1, static_cast<char>('a' + random() % 6)); }

void Storm::add(std::mt19937& random, std::vector<Pending<json>>& own) {
    TaskSpec spec;
    spec.priority = static_cast<int>(random() % 5);
    if (random() % 2) spec.group = some_group(random);
    for (auto n = random() % 3; n > 0 && !own.empty(); --n)
        spec.upstream.push_back(own[random() % own.size()].uid());
    if (random() % 16 == 0) spec.timeout = std::chrono::milliseconds(1 + random() % 5);
    std::stop_source callers;
    if (random() % 16 == 0) spec.stop = callers.get_token();
    const bool fails = random() % 20 == 0;
    const auto work = [fails](const TaskContext& context) -> json {
        if (fails) throw std::runtime_error("at random");
        return json{{context.uid.str(), 1}};
    };
    try {
        own.push_back(rig.m->add_task(work, spec));
        if (spec.stop.stop_possible()) callers.request_stop();
    } catch (const QueueFull&) {
        ++refused;
    }
}

/// Ends only because its stop reaches it, if it begins at all.
void Storm::add_until_stopped(std::vector<Pending<json>>& own) {
    try {
        own.push_back(rig.m->add_task(
            [this](const TaskContext& context) {
                ++waits_begun;
                const Gate gate;
                const std::stop_callback opens(context.stop, [&] { gate.open(); });
                gate.pass();
                ++waits_ended;
                return json();
            },
            at(100)));
        while (own.back().state() == TaskState::ready) std::this_thread::yield();
        own.back().stop();
        must(own.back().state() == TaskState::stopped, "what is stopped before it ends, is stopped");
    } catch (const QueueFull&) {
        ++refused;
    }
}

Async Storm::await(Pending<json> pending) {
    ++awaits;
    try {
        co_await pending;
    } catch (const std::exception&) {
        must(pending.state() != TaskState::completed, "what has completed gives its value");
    }
    ++resumes;
}

void Storm::one(std::mt19937& random, std::vector<Pending<json>>& own) {
    const auto what = random() % 100;
    if (what < 60 || own.empty()) return add(random, own);
    auto& some = own[random() % own.size()];
    if (what < 64) {
        add_until_stopped(own);
    } else if (what < 74) {
        rig.m->stop_task(some, {random() % 2 == 0, random() % 2 == 0});
    } else if (what < 77) {
        rig.m->stop_task_group(some_group(random));
    } else if (what < 80) {
        rig.m->pause_processing();
        rig.m->start_processing();
    } else if (what < 85) {
        static_cast<void>(some.future());
    } else if (what < 88) {
        const auto connection = rig.m->on_task_stopped([](Uid, const std::optional<Group>&) {});
    } else if (what < 95) {
        await(some).detach();
    } else if (what < 98) {
        const auto stats = rig.m->stats();
        must(stats.waiting + stats.ready <= most_pending, "the queue is bounded");
        must(stats.threads <= 8, "there are no more threads than allowed");
    } else if (what < 99) {
        rig.clock->advance(1ms);
    } else if (random() % 50 == 0) {
        rig.m->stop_all_tasks();
    }
}

void Storm::blow(unsigned thread, int operations) {
    std::mt19937 random(seed + thread);
    try {
        for (int i = 0; i < operations; ++i) one(random, handed_in[thread]);
    } catch (const std::exception& error) {
        must(false, error.what());
    }
}

}  // namespace

TEST_CASE("a hundred thousand random operations from eight threads keep every promise") {
    const int operations = operations_of_run(100'000);
    Storm storm;
    on_eight_threads([&](unsigned thread) { storm.blow(thread, operations / 8); },
                     [&] { storm.rig.loop.poll(); });
    storm.rig.m->start_processing();
    REQUIRE(storm.rig.settle());

    const auto all = storm.rec.all();
    check_groups(all);
    std::map<Uid, int> ends;
    for (const auto& one : all)
        if (one.kind != 'g') ++ends[one.uid];
    std::size_t count = 0;
    for (const auto& own : storm.handed_in) {
        count += own.size();
        for (const auto& task : own)
            if (ends[task.uid()] != 1)
                FAIL_CHECK("task " << task.uid().str() << " has " << ends[task.uid()] << " ends");
        check_resolved(own);
    }
    CHECK(ends.size() == count);
    CHECK(storm.waits_begun == storm.waits_ended);
    CHECK(storm.resumes == storm.awaits);
    CHECK(storm.broken == std::vector<std::string>());
    const auto stats = storm.rig.m->stats();
    CHECK(stats.waiting + stats.ready + stats.running + stats.discarded_running + stats.undelivered == 0);
    std::cout << count << " tasks, " << storm.refused << " refused, " << storm.waits_begun
              << " ran until they were stopped, " << storm.awaits << " awaited\n";
}
