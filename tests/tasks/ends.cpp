// Programs that end in a way of their own, for ending_test.cpp.

#include <sys/resource.h>
#include <cstring>
#include <thread>

#include "tasks/event_loop.hpp"
#include "tasks/task_manager.hpp"

using namespace sg;
using nlohmann::json;

namespace {

json nothing(const TaskContext&) { return json(); }

/// What has settled is never delivered, and the manager goes with its scope.
int undelivered() {
    tasks::EventLoop loop;
    tasks::Options options;
    options.start_processing = true;
    options.executor = loop.executor();
    const auto manager = tasks::make_task_manager(std::move(options));
    int called = 0;
    const auto connection =
        manager->on_task_completed([&](Uid, const std::optional<Group>&, const json&) { ++called; });
    for (int i = 0; i < 20; ++i) manager->add_task(nothing).get();
    return called;
}

/// Ended by the end of the program alone, with work queued, a slot's thread and one for timeouts.
int of_static_lifetime() {
    static const auto manager = tasks::make_task_manager({.start_processing = true});
    manager->on_task_completed([](Uid, const std::optional<Group>&, const json&) {}).keep();
    TaskSpec timed;
    timed.timeout = std::chrono::hours(1);
    manager->add_task(nothing, timed).get();
    for (int i = 0; i < 1'000; ++i) manager->add_task(nothing);
    return 0;
}

int let_go_of_within() {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    auto manager = tasks::make_task_manager({.start_processing = true});
    std::atomic<bool> is_last{false};
    const auto task = manager->add_task([&, own = manager](const TaskContext&) mutable {
        while (!is_last) std::this_thread::yield();
        own.reset();
        return json();
    });
    manager.reset();
    is_last = true;
    task.get();
    return 0;
}

}  // namespace

int main(int, char** argv) {
    if (std::strcmp(argv[1], "undelivered") == 0) return undelivered();
    if (std::strcmp(argv[1], "static") == 0) return of_static_lifetime();
    if (std::strcmp(argv[1], "within") == 0) return let_go_of_within();
    return 64;
}
