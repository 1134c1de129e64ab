// What does a task cost, beside a bare queue of functions, and as the queue grows?
//
//   bench_tasks [TASKS [managed]]     `managed`: the manager alone, for a profiler
//
// Prints ratios; what they should be is in brackets.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/processes.hpp"
#include "tasks/task_manager.hpp"

namespace {

struct Cost {
    double cpu = 0, time = 0;  // seconds
};

/// The middle one of a few runs: the least is one in which no two threads met.
Cost median(std::vector<Cost> runs) {
    const auto middle = [&](double Cost::*of) {
        std::sort(runs.begin(), runs.end(), [&](const Cost& a, const Cost& b) { return a.*of < b.*of; });
        return runs[runs.size() / 2].*of;
    };
    const auto cpu = middle(&Cost::cpu);
    return {cpu, middle(&Cost::time)};
}

template <class F>
Cost cost_of(F body) {
    const auto begin = std::chrono::steady_clock::now();
    const auto cpu = sg::bench::cpu_of_this_process();
    body();
    return {(sg::bench::cpu_of_this_process() - cpu).count(),
            sg::bench::Seconds(std::chrono::steady_clock::now() - begin).count()};
}

void wait_until(const std::atomic<int>& count, int wanted) {
    while (count < wanted) std::this_thread::sleep_for(std::chrono::microseconds(100));
}

/// The least that does the job: a lock, a condition and a queue.
class BareQueue {
public:
    explicit BareQueue(int threads) {
        for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    ~BareQueue() {
        std::lock_guard lock(mutex_);
        is_over_ = true;
        changed_.notify_all();
    }
    void add(std::function<void()> work) {
        std::lock_guard lock(mutex_);
        queue_.push_back(std::move(work));
        changed_.notify_one();
    }

private:
    void work() {
        while (true) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_over_ || !queue_.empty(); });
            if (queue_.empty()) return;
            const auto next = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            next();
        }
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_over_ = false;
    std::deque<std::function<void()>> queue_;
    std::vector<std::jthread> threads_;
};

Cost bare(int tasks) {
    std::atomic<int> ran{0};
    BareQueue queue(4);
    return cost_of([&] {
        for (int i = 0; i < tasks; ++i) queue.add([&ran] { ++ran; });
        wait_until(ran, tasks);
    });
}

/// What a task cannot do without: an object that others may hold, a stop state, and a second change of
/// threads for its signal. No number, no order, no group, and nobody can stop it.
Cost least(int tasks) {
    struct Task {
        std::stop_source stop;
        std::function<void(std::stop_token)> work;
        std::shared_ptr<const int> outcome;
    };
    std::atomic<int> told{0};
    BareQueue signals(1), workers(4);
    return cost_of([&] {
        for (int i = 0; i < tasks; ++i) {
            auto task = std::make_shared<Task>();
            task->work = [](const std::stop_token&) {};
            workers.add([task = std::move(task), &signals, &told] {
                task->work(task->stop.get_token());
                signals.add([task, &told] { ++told; });
            });
        }
        wait_until(told, tasks);
    });
}

sg::tasks::Options four_workers() {
    sg::tasks::Options options;
    options.start_processing = true;
    options.max_threads = 4;
    options.max_pending = 0;
    return options;
}

/// With priorities, a group and a slot, as a plugin would.
Cost managed(int tasks) {
    std::atomic<int> ended{0};
    auto manager = sg::tasks::make_task_manager(four_workers());
    manager
        ->on_task_completed([&](sg::Uid, const std::optional<sg::Group>&, const nlohmann::json&) { ++ended; })
        .keep();
    const auto group = manager->next_group_id();
    return cost_of([&] {
        for (int i = 0; i < tasks; ++i) {
            sg::TaskSpec spec;
            spec.priority = i % 4;
            spec.group = group;
            manager->add_task([](const sg::TaskContext&) { return nlohmann::json(); }, std::move(spec));
        }
        wait_until(ended, tasks);
    });
}

/// Per task, in seconds of CPU, with `queued` others waiting for their turn: each that ends hands in the
/// next.
double with_queue(int queued, int tasks) {
    auto options = four_workers();
    options.start_processing = false;
    auto manager = sg::tasks::make_task_manager(options);
    std::atomic<int> ran{0};
    sg::TaskSpec last;
    last.priority = -1;
    for (int i = 0; i < queued; ++i)
        manager->add_task([](const sg::TaskContext&) { return nlohmann::json(); }, last);
    const auto cost = cost_of([&] {
        for (int i = 0; i < tasks; ++i)
            manager->add_task([&](const sg::TaskContext&) { return ++ran, nlohmann::json(); });
        manager->start_processing();
        wait_until(ran, tasks);
        manager->pause_processing();
    });
    return cost.cpu / tasks;
}

/// Per task, in seconds of CPU, all of them waiting for one upstream.
double behind_one(int tasks) {
    auto options = four_workers();
    options.start_processing = false;
    auto manager = sg::tasks::make_task_manager(options);
    const auto up = manager->add_pass_through_task();
    return cost_of([&] {
               sg::TaskSpec spec;
               spec.upstream = {up};
               for (int i = 0; i < tasks; ++i) manager->add_pass_through_task(spec);
           }).cpu /
           tasks;
}

/// CPU of two seconds with 8 workers that have nothing to do.
double idle() {
    sg::tasks::Options options;
    options.start_processing = true;
    auto manager = sg::tasks::make_task_manager(options);
    std::atomic<int> running{0};
    for (int i = 0; i < 8; ++i)
        manager->add_task([&](const sg::TaskContext&) {
            ++running;
            while (running < 8) std::this_thread::yield();
            return nlohmann::json();
        });
    manager->wait_idle(std::chrono::seconds(60));
    return cost_of([] { std::this_thread::sleep_for(std::chrono::seconds(2)); }).cpu;
}

}  // namespace

int main(int argc, char** argv) {
    const int tasks = argc > 1 ? std::atoi(argv[1]) : 100'000;
    if (argc > 2) {  // for a profiler
        for (int i = 0; i < 70; ++i) managed(tasks);
        return 0;
    }
    std::vector<Cost> of_plain, of_least, of_full;
    for (int i = 0; i < 9; ++i) {
        // For as long as the other takes: in a shorter time the threads of a bare queue may never meet.
        const auto ten = bare(10 * tasks);
        of_plain.push_back({ten.cpu / 10, ten.time / 10});
        of_least.push_back(least(tasks));
        of_full.push_back(managed(tasks));
    }
    const auto plain = median(of_plain), bare_task = median(of_least), full = median(of_full);
    const auto say = [&](const char* what, const Cost& cost) {
        std::printf("%-14s %6.3f us of CPU a task, %9.0f tasks/s\n", what, 1e6 * cost.cpu / tasks,
                    tasks / cost.time);
    };
    say("bare queue", plain);
    say("the least", bare_task);
    say("task manager", full);
    std::printf("%.2f times the CPU of the bare queue (at most 3), which the least is %.2f times\n",
                full.cpu / plain.cpu, bare_task.cpu / plain.cpu);
    const auto behind = [&](int queued) {
        double seconds = 1e9;
        for (int i = 0; i < 3; ++i) seconds = std::min(seconds, with_queue(queued, tasks));
        return seconds;
    };
    const double shortest = behind(10);
    for (const int queued : {10, 1'000, 100'000, 1'000'000}) {
        const double each = behind(queued);
        std::printf("behind %9d: %.2f us of CPU a task, %.2f times that behind 10\n", queued, 1e6 * each,
                    each / shortest);
    }
    double few = 1e9, many = 1e9;
    for (int i = 0; i < 3; ++i) {
        few = std::min(few, behind_one(10'000));
        many = std::min(many, behind_one(100'000));
    }
    std::printf("100,000 blocked on one task cost %.2f times what 10,000 do, each (at most 1.5)\n",
                many / few);
    std::printf("8 idle workers: %.1f ms of CPU in 2 s (none)\n", 1e3 * idle());
    return 0;
}
