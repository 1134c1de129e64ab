// Everything at once. Counts come from SG_TEST_SEED and SG_TEST_OPERATIONS.

#include <cstdlib>
#include <iostream>
#include <random>

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

unsigned seed_of_run() {
    const char* text = std::getenv("SG_TEST_SEED");
    const unsigned seed = text != nullptr ? static_cast<unsigned>(std::stoul(text)) : std::random_device{}();
    std::cout << "SG_TEST_SEED=" << seed << "\n";
    return seed;
}

/// Futures of everything that was handed in resolve to a value, a failure or a stop.
void check_resolved(const std::vector<Pending<json>>& list) {
    std::size_t pending = 0;
    for (const auto& task : list)
        if (task.future().wait_for(0s) != std::future_status::ready) ++pending;
    CHECK(pending == 0);
}

/// `operations` from 8 threads, whatever they are; then every task has had exactly one signal, no
/// group one too many, and the last of each group is followed by its end.
void everything_at_once(int operations) {
    const auto seed = seed_of_run();
    tasks::Options options;
    options.max_undelivered = 200;
    Rig rig(8, true, options);
    Recorder rec(*rig.m);
    std::vector<std::vector<Pending<json>>> handed_in(8);
    std::atomic<bool> over{false};
    {
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                std::mt19937 random(seed + t);
                auto& own = handed_in[t];
                const auto pick = [&]() -> Uid {
                    return own.empty() ? Uid() : own[random() % own.size()].uid();
                };
                for (int i = 0; i < operations / 8; ++i) {
                    const auto what = random() % 100;
                    if (what < 70 || own.empty()) {
                        TaskSpec spec;
                        spec.priority = static_cast<int>(random() % 5);
                        if (random() % 2) spec.group = std::string(1, static_cast<char>('a' + random() % 6));
                        for (auto n = random() % 3; n > 0 && !own.empty(); --n)
                            spec.upstream.push_back(pick());
                        if (random() % 16 == 0) spec.timeout = std::chrono::milliseconds(1 + random() % 5);
                        const bool fails = random() % 20 == 0;
                        own.push_back(rig.m->add_task(
                            [fails](const TaskContext& context) -> json {
                                if (fails) throw std::runtime_error("at random");
                                return json{{context.uid.str(), 1}};
                            },
                            spec));
                    } else if (what < 85) {
                        rig.m->stop_task(pick(), {random() % 2 == 0, random() % 2 == 0});
                    } else if (what < 88) {
                        rig.m->stop_task_group(std::string(1, static_cast<char>('a' + random() % 6)));
                    } else if (what < 92) {
                        rig.m->pause_processing();
                        rig.m->start_processing();
                    } else if (what < 96) {
                        static_cast<void>(own[random() % own.size()].future());
                    } else if (what < 99) {
                        const auto connection =
                            rig.m->on_task_stopped([](Uid, const std::optional<Group>&) {});
                    } else if (i % 50 == 0) {
                        rig.m->stop_all_tasks();
                    } else {
                        rig.clock->advance(1ms);
                    }
                }
            });
        std::jthread watch([&] {
            for (auto& thread : threads) thread.join();
            over = true;
        });
        while (!over) rig.loop.poll();
        watch.join();
    }
    rig.m->start_processing();
    REQUIRE(rig.settle());
    std::map<Uid, int> ends;
    std::map<std::string, std::size_t> last_signal, last_end;
    const auto all = rec.all();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].kind == 'g') {
            CHECK((last_end.count(all[i].group) == 0 || last_end[all[i].group] < last_signal[all[i].group]));
            last_end[all[i].group] = i;
        } else {
            ++ends[all[i].uid];
            if (!all[i].group.empty()) last_signal[all[i].group] = i;
        }
    }
    std::size_t count = 0;
    for (const auto& own : handed_in) {
        count += own.size();
        for (const auto& task : own)
            if (ends[task.uid()] != 1)
                FAIL_CHECK("task " << task.uid().str() << " has " << ends[task.uid()] << " ends");
        check_resolved(own);
    }
    CHECK(ends.size() == count);
    for (const auto& [group, at] : last_signal) CHECK(last_end[group] == at + 1);
    const auto stats = rig.m->stats();
    CHECK(stats.waiting + stats.ready + stats.running + stats.discarded_running + stats.undelivered == 0);
}

}  // namespace

TEST_CASE("T15 of twenty thousand tasks each ends once") {
    Rig rig(4);
    std::atomic<int> ran{0};
    int ended = 0;
    rig.m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { ++ended; }).keep();
    for (int i = 0; i < 20'000; ++i)
        rig.m->add_task([&](const TaskContext&) {
            ++ran;
            return json();
        });
    REQUIRE(rig.settle());
    CHECK((ran == 20'000 && ended == 20'000));
}

TEST_CASE("a few thousand random operations from eight threads keep every promise") {
    const char* text = std::getenv("SG_TEST_OPERATIONS");
    everything_at_once(text != nullptr ? std::stoi(text) : 8'000);
}

TEST_CASE(
    "T186 T187 stops against ends leave exactly one signal, and none after a stop on the owner's thread") {
    Rig rig(8);
    Recorder rec(*rig.m);
    std::vector<Uid> list, stopped_here;
    for (int i = 0; i < 2'000; ++i) list.push_back(rig.m->add_task(gives(i)));
    std::jthread stops([&] {
        for (std::size_t i = 0; i < list.size(); i += 2) rig.m->stop_task(list[i]);
    });
    for (std::size_t i = 1; i < list.size(); i += 2) {
        if (rig.m->stop_task(list[i]) == 1) {
            CHECK(rec.of(list[i]).empty());
            stopped_here.push_back(list[i]);
        }
        if (i % 100 == 1) rig.loop.poll();
    }
    stops.join();
    REQUIRE(rig.settle());
    CHECK(rec.count('c') + rec.count('s') == list.size());
    std::map<Uid, char> ended;
    for (const auto& one : rec.all()) ended[one.uid] = one.kind;
    for (const auto uid : stopped_here) CHECK(ended[uid] == 's');
}

TEST_CASE("T189 a shut-down against work being handed in refuses it or ends it") {
    for (int round = 0; round < 40; ++round) {
        Rig rig(4);
        Recorder rec(*rig.m);
        std::vector<std::vector<Pending<json>>> handed_in(4);
        std::vector<std::jthread> threads;
        for (auto& own : handed_in)
            threads.emplace_back([&rig, &own] {
                try {
                    for (int i = 0; i < 200; ++i) own.push_back(rig.m->add_task(gives(i)));
                } catch (const Closed&) {
                    return;
                }
            });
        rig.m->shut_down();
        const auto told = rec.all().size();
        threads.clear();
        while (rig.loop.poll() > 0) continue;
        CHECK(rec.all().size() == told);
        for (const auto& own : handed_in) check_resolved(own);
    }
}

TEST_CASE(
    "T191 T192 T193 T198 an upstream, a failure, a clock and a withdrawal against what they race with") {
    Rig rig(4);
    Recorder rec(*rig.m);
    for (int i = 0; i < 1'000; ++i) {
        const auto up = rig.m->add_task(gives({{"a", 1}}));
        CHECK(rig.m->add_pass_through_task(with({up})).get() == json{{"a", 1}});
        const auto bad =
            rig.m->add_task([](const TaskContext&) -> json { throw std::runtime_error("boom"); });
        Uid down;
        try {
            down = rig.m->add_task(gives(1), with({bad}));
            rig.m->stop_task(down);
        } catch (const std::invalid_argument&) {
            FAIL_CHECK("refused");
        }
        TaskSpec spec;
        spec.timeout = 1ms;
        const auto timed = rig.m->add_task(gives(1), spec);
        rig.clock->advance(1ms);
        {
            auto awaiter = timed.operator co_await();
            awaiter.await_suspend(std::noop_coroutine());
            if (i % 2) rig.loop.poll();
        }
        rig.loop.poll();
    }
    REQUIRE(rig.settle());
    std::map<Uid, int> ends;
    for (const auto& one : rec.all()) ++ends[one.uid];
    for (const auto& [uid, times] : ends) CHECK(times == 1);
    CHECK(ends.size() == 5'000);
}
