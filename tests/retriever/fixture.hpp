#pragma once
// Retrievers of a site over HTTP, on a loop that the test polls.

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "catch.hpp"
#include "gate.hpp"
#include "retriever/data_retriever.hpp"
#include "retriever/downloads.hpp"
#include "retriever/gated_clock.hpp"
#include "retriever/studio.hpp"
#include "tasks/event_loop.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

using retriever::FileCache;
using retriever::make_data_retriever;

/// Slots on every signal of a retriever.
class Heard {
public:
    struct Signal {
        char kind;  // c, f, x: cancelled
        Uid uid;
        std::string type, message;
        json data;
    };
    explicit Heard(DataRetriever& of) {
        connections_.push_back(
            of.on_work_completed([this](Uid uid, const std::string& type, const json& data) {
                add({'c', uid, type, {}, data});
            }));
        connections_.push_back(of.on_work_failure([this](Uid uid, const std::string& message) {
            add({'f', uid, {}, message, nullptr});
        }));
        connections_.push_back(of.on_work_cancelled([this](Uid uid) { add({'x', uid, {}, {}, nullptr}); }));
    }
    std::vector<Signal> all() const {
        std::lock_guard lock(mutex_);
        return all_;
    }
    std::size_t size() const { return all().size(); }
    std::string kinds() const {
        std::string text;
        for (const auto& one : all()) text += one.kind;
        return text;
    }
    std::vector<std::string> types() const {
        std::vector<std::string> out;
        for (const auto& one : all()) out.push_back(one.type);
        return out;
    }
    /// The signals of one request: `c`, `f` or `x` if all is well.
    std::string of(Uid uid) const {
        std::string text;
        for (const auto& one : all())
            if (one.uid == uid) text += one.kind;
        return text;
    }
    Signal last(Uid uid) const {
        for (const auto& one : all())
            if (one.uid == uid) return one;
        return {'-', uid, {}, {}, nullptr};
    }
    bool on_one_thread() const { return on_one_thread_; }

private:
    void add(Signal signal) {
        std::lock_guard lock(mutex_);
        if (thread_ != std::this_thread::get_id()) on_one_thread_ = false;
        all_.push_back(std::move(signal));
    }
    mutable std::mutex mutex_;
    const std::thread::id thread_ = std::this_thread::get_id();
    std::atomic<bool> on_one_thread_{true};
    std::vector<Signal> all_;
    std::vector<Connection> connections_;  // goes first
};

/// Retrievers of a studio on one loop. `R()` owns one thread and is not started; `RS(n)` is on a shared
/// manager.
struct Rig {
    explicit Rig(unsigned threads = 0) {
        if (threads == 0) return;
        manager = make_manager(threads);
    }
    std::shared_ptr<TaskManager> make_manager(unsigned threads) {
        tasks::Options options;
        options.start_processing = true;
        options.max_threads = threads;
        options.clock = clock;
        options.executor = loop.executor();
        options.on_error = [this](std::exception_ptr) { ++errors; };
        return tasks::make_task_manager(std::move(options));
    }
    FileCache make_cache(const std::string& name = "cache") {
        retriever::FileCacheOptions options;
        options.root = root / name;
        options.clock = clock;
        return FileCache(std::move(options));
    }
    retriever::Options options() {
        retriever::Options out{cache};
        out.executor = loop.executor();
        out.clock = clock;
        out.on_error = [this](std::exception_ptr) { ++errors; };
        return out;
    }
    template <class Change>
    std::unique_ptr<DataRetriever> make(Change change) {
        auto how = options();
        change(how);
        auto made = make_data_retriever(studio.connection(), std::move(how), manager);
        if (manager) made->start();
        return made;
    }
    std::unique_ptr<DataRetriever> make() {
        return make([](retriever::Options&) {});
    }
    /// Polls until the condition holds.
    template <class Condition>
    bool until(Condition condition) {
        return wait_for([&] {
            while (loop.poll() > 0)
                continue;  // a coroutine has a turn to itself: thousands of them, a pause after each
            return condition();
        });
    }
    bool ended(const Heard& heard, std::size_t count) {
        return until([&] { return heard.size() >= count; }) && loop.poll() == 0 && heard.size() == count;
    }
    json args_of_find() const { return json::array({"Shot", json::array(), json::array({"code"})}); }
    /// A gate before the next answers to this call.
    std::shared_ptr<sandbox::Gate> hold(const char* method, std::uint64_t times = 1) {
        auto gate = std::make_shared<sandbox::Gate>();
        studio.site.inject(Fault::honest().behind(gate).on(method).times(times));
        return gate;
    }

    Studio studio;
    TempDir root;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    FileCache cache = make_cache();
    tasks::EventLoop loop;
    std::atomic<int> errors{0};
    std::shared_ptr<TaskManager> manager;
};

}  // namespace sg::test
