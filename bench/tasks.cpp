// What does a task cost, beside a bare queue of functions, and as the queue grows?
//
//   bench_tasks [TASKS]
//
// Prints ratios; what they should be is in brackets.

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

#include "tasks/task_manager.hpp"

namespace {

using Seconds = std::chrono::duration<double>;

template <class F>
double seconds(F body) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    return Seconds(std::chrono::steady_clock::now() - begin).count();
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

double bare(int tasks) {
    std::atomic<int> ran{0};
    BareQueue queue(4);
    return seconds([&] {
        for (int i = 0; i < tasks; ++i) queue.add([&ran] { ++ran; });
        wait_until(ran, tasks);
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
double managed(int tasks) {
    std::atomic<int> ended{0};
    auto manager = sg::tasks::make_task_manager(four_workers());
    manager
        ->on_task_completed([&](sg::Uid, const std::optional<sg::Group>&, const nlohmann::json&) { ++ended; })
        .keep();
    const auto group = manager->next_group_id();
    return seconds([&] {
        for (int i = 0; i < tasks; ++i) {
            sg::TaskSpec spec;
            spec.priority = i % 4;
            spec.group = group;
            manager->add_task([](const sg::TaskContext&) { return nlohmann::json(); }, std::move(spec));
        }
        wait_until(ended, tasks);
    });
}

/// Per task, with `queued` others waiting for their turn: each that ends hands in the next.
double with_queue(int queued, int tasks) {
    auto options = four_workers();
    options.start_processing = false;
    auto manager = sg::tasks::make_task_manager(options);
    std::atomic<int> ran{0};
    sg::TaskSpec last;
    last.priority = -1;
    for (int i = 0; i < queued; ++i)
        manager->add_task([](const sg::TaskContext&) { return nlohmann::json(); }, last);
    const auto first = seconds([&] {
        for (int i = 0; i < tasks; ++i)
            manager->add_task([&](const sg::TaskContext&) { return ++ran, nlohmann::json(); });
        manager->start_processing();
        wait_until(ran, tasks);
        manager->pause_processing();
    });
    return first / tasks;
}

/// Per task, all of them waiting for one upstream.
double behind_one(int tasks) {
    auto options = four_workers();
    options.start_processing = false;
    auto manager = sg::tasks::make_task_manager(options);
    const auto up = manager->add_pass_through_task();
    return seconds([&] {
               sg::TaskSpec spec;
               spec.upstream = {up};
               for (int i = 0; i < tasks; ++i) manager->add_pass_through_task(spec);
           }) /
           tasks;
}

}  // namespace

int main(int argc, char** argv) {
    const int tasks = argc > 1 ? std::atoi(argv[1]) : 100'000;
    bare(tasks / 10);
    managed(tasks / 10);
    const double plain = bare(tasks), full = managed(tasks);
    std::printf("bare queue          %10.0f tasks/s\n", tasks / plain);
    std::printf("task manager        %10.0f tasks/s   %.2f times its cost per task (at most 3)\n",
                tasks / full, full / plain);
    const double shortest = with_queue(10, tasks);
    for (const int queued : {10, 1'000, 100'000, 1'000'000})
        std::printf("behind %9d     %10.2f us/task   %.2f times that behind 10\n", queued,
                    1e6 * with_queue(queued, tasks), with_queue(queued, tasks) / shortest);
    const double few = behind_one(10'000), many = behind_one(100'000);
    std::printf("100,000 blocked on one task cost %.2f times what 10,000 do, each (at most 1.5)\n",
                many / few);
    return 0;
}
