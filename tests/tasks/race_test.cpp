// Ends that race with one another.

#include "tasks/fixture.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("T15 of a hundred thousand tasks each ends once") {
    Rig rig(4);
    const int count = rounds(100'000);
    std::atomic<int> ran{0};
    int ended = 0;
    rig.m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { ++ended; }).keep();
    for (int i = 0; i < count; ++i)
        rig.m->add_task([&](const TaskContext&) {
            ++ran;
            return json();
        });
    REQUIRE(rig.settle());
    CHECK((ran == count && ended == count));
}

TEST_CASE(
    "T186 T187 stops against ends leave exactly one signal, and none after a stop on the owner's thread") {
    Rig rig(8);
    std::map<Uid, std::string> ends;
    const auto tell = [&ends](char kind) {
        return [&ends, kind](Uid uid, const std::optional<Group>&, const auto&...) { ends[uid] += kind; };
    };
    const Connection told[] = {rig.m->on_task_completed(tell('c')), rig.m->on_task_stopped(tell('s'))};
    std::vector<Uid> list, stopped_here;
    for (int i = 0; i < rounds(10'000); ++i) list.push_back(rig.m->add_task(gives(i)));
    std::jthread stops([&] {
        for (std::size_t i = 0; i < list.size(); i += 2) rig.m->stop_task(list[i]);
    });
    for (std::size_t i = 1; i < list.size(); i += 2) {
        if (rig.m->stop_task(list[i]) == 1) {
            CHECK(ends[list[i]].empty());
            stopped_here.push_back(list[i]);
        }
        if (i % 100 == 1) rig.loop.poll();
    }
    stops.join();
    REQUIRE(rig.settle());
    for (const auto uid : list) CHECK(ends[uid].size() == 1);
    for (const auto uid : stopped_here) CHECK(ends[uid] == "s");
    const auto stats = rig.m->stats();
    CHECK(stats.waiting + stats.ready + stats.running + stats.discarded_running + stats.undelivered == 0);
}

TEST_CASE(
    "T188 chains from eight threads with pauses and stops of everything resolve, and their groups end") {
    Rig rig(8);
    Recorder rec(*rig.m);
    std::vector<std::vector<Pending<json>>> handed_in(8);
    std::atomic<int> adding{8};
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < handed_in.size(); ++t)
            threads.emplace_back([&, t] {
                const auto name = std::string(1, static_cast<char>('a' + t % 4));
                for (int i = 0; i < rounds(5'000); ++i) {
                    auto& own = handed_in[t];
                    own.push_back(rig.m->add_task(gives({{"a", i}}), in(name.c_str())));
                    own.push_back(rig.m->add_task(gives({{"b", i}}), in(name.c_str(), {own.back()})));
                    own.push_back(rig.m->add_pass_through_task(in(name.c_str(), {own.back()})));
                }
                --adding;
            });
        threads.emplace_back([&] {
            while (adding > 0) {
                rig.m->pause_processing();
                rig.m->start_processing();
            }
        });
        threads.emplace_back([&] {
            while (adding > 0) {
                rig.m->stop_all_tasks();
                std::this_thread::yield();
            }
        });
        while (adding > 0) rig.loop.poll();
    }
    rig.m->start_processing();
    REQUIRE(rig.settle());
    std::size_t tasks = 0;
    for (const auto& own : handed_in) {
        tasks += own.size();
        check_resolved(own);
    }
    check_groups(rec.all());
    CHECK(rec.count('c') + rec.count('s') == tasks);
}

TEST_CASE("T190 a slot is not called any more once it was disconnected, on whatever thread") {
    Rig rig(4);
    struct Watched {
        std::atomic<bool> is_gone{false};
    };
    std::atomic<int> calls{0}, late{0};
    const auto connect = [&](const std::shared_ptr<Watched>& watched) {
        return rig.m->on_task_completed([&, watched](Uid, const std::optional<Group>&, const json&) {
            ++calls;
            if (watched->is_gone) ++late;
        });
    };
    int delivered = 0;
    const auto comes_and_goes = rig.m->on_task_completed([&](Uid, const std::optional<Group>&, const json&) {
        ++delivered;
        const auto watched = std::make_shared<Watched>();
        auto connection = connect(watched);
        connection.disconnect();
        watched->is_gone = true;
    });
    std::jthread changes([&](const std::stop_token& over) {
        while (!over.stop_requested()) {
            const auto watched = std::make_shared<Watched>();
            auto connection = connect(watched);
            for (int before = calls, i = 0; calls == before && i < 100; ++i) std::this_thread::yield();
            connection.disconnect();
            watched->is_gone = true;
        }
    });
    const int count = rounds(50'000);
    for (int i = 0; i < count; ++i) {
        rig.m->add_task(gives(1));
        if (i % 64 == 0) rig.loop.poll();
    }
    REQUIRE(rig.settle());
    changes.request_stop();
    changes.join();
    CHECK(delivered == count);
    CHECK(calls > 0);
    CHECK(late == 0);
}

TEST_CASE("T189 a shut-down against work being handed in refuses it or ends it") {
    for (int round = 0; round < rounds(500); ++round) {
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
    const int count = rounds(10'000);
    for (int i = 0; i < count; ++i) {
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
    CHECK(ends.size() == 5 * static_cast<std::size_t>(count));
}
