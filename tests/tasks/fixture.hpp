#pragma once
// A manager whose owner, clock and gates are the test's.

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "catch.hpp"
#include "gate.hpp"
#include "seed.hpp"
#include "tasks/event_loop.hpp"
#include "tasks/task_manager.hpp"
#include "wait_for.hpp"

namespace sg::test {

using namespace std::chrono_literals;
using nlohmann::json;
using tasks::EventLoop;
using tasks::make_task_manager;
using Manager = std::shared_ptr<TaskManager>;

/// Slots on every signal. On the owner's thread, but that counts are read from any.
class Recorder {
public:
    struct Signal {
        char kind;  // c, f, s: a task; g: a group
        Uid uid;
        std::string group, message;
        json result;
        Uid origin;
    };
    explicit Recorder(TaskManager& manager) {
        const auto name = [](const std::optional<Group>& group) {
            return group ? group->str() : std::string();
        };
        connections_.push_back(manager.on_task_completed(
            [this, name](Uid uid, const std::optional<Group>& group, const json& result) {
                add({'c', uid, name(group), {}, result, {}});
            }));
        connections_.push_back(manager.on_task_failed(
            [this, name](Uid uid, const std::optional<Group>& group, const TaskFailure& why) {
                add({'f', uid, name(group), why.message, nullptr, why.origin});
            }));
        connections_.push_back(
            manager.on_task_stopped([this, name](Uid uid, const std::optional<Group>& group) {
                add({'s', uid, name(group), {}, nullptr, {}});
            }));
        connections_.push_back(manager.on_task_group_finished([this](const Group& group) {
            add({'g', Uid(), group.str(), {}, nullptr, {}});
        }));
    }
    std::vector<Signal> all() const {
        std::lock_guard lock(mutex_);
        return all_;
    }
    std::size_t count(char kind) const {
        std::lock_guard lock(mutex_);
        std::size_t n = 0;
        for (const auto& one : all_) n += one.kind == kind ? 1 : 0;
        return n;
    }
    std::string kinds() const {
        std::string text;
        for (const auto& one : all()) text += one.kind;
        return text;
    }
    /// The terminal signals of one task.
    std::string of(Uid uid) const {
        std::string text;
        for (const auto& one : all())
            if (one.kind != 'g' && one.uid == uid) text += one.kind;
        return text;
    }
    std::vector<Uid> uids() const {
        std::vector<Uid> list;
        for (const auto& one : all())
            if (one.kind != 'g') list.push_back(one.uid);
        return list;
    }
    void drop() { connections_.clear(); }
    std::thread::id thread;
    std::atomic<bool> on_one_thread{true};

private:
    void add(Signal signal) {
        std::lock_guard lock(mutex_);
        if (thread == std::thread::id()) thread = std::this_thread::get_id();
        if (thread != std::this_thread::get_id()) on_one_thread = false;
        all_.push_back(std::move(signal));
    }
    mutable std::mutex mutex_;
    std::vector<Signal> all_;
    std::vector<Connection> connections_;
};

/// No group ended twice without a task in between, and each did after its last task.
inline void check_groups(const std::vector<Recorder::Signal>& all) {
    std::map<std::string, std::size_t> last_signal, last_end;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].kind == 'g') {
            CHECK((last_end.count(all[i].group) == 0 || last_end[all[i].group] < last_signal[all[i].group]));
            last_end[all[i].group] = i;
        } else if (!all[i].group.empty()) {
            last_signal[all[i].group] = i;
        }
    }
    for (const auto& [group, at] : last_signal) CHECK(last_end[group] == at + 1);
}

/// Futures of everything that was handed in resolve to a value, a failure or a stop.
inline void check_resolved(const std::vector<Pending<json>>& list) {
    std::size_t pending = 0;
    for (const auto& task : list)
        if (task.future().wait_for(0s) != std::future_status::ready) ++pending;
    CHECK(pending == 0);
}

struct Rig {
    explicit Rig(unsigned threads, bool start = true, tasks::Options options = {}) {
        options.start_processing = start;
        options.max_threads = threads;
        options.clock = clock;
        options.executor = loop.executor();
        options.on_error = [this](std::exception_ptr) { ++errors; };
        m = make_task_manager(std::move(options));
    }
    /// Polls until nothing is left.
    bool settle() {
        return wait_for([&] {
            while (loop.poll() > 0) continue;
            const auto s = m->stats();
            return s.waiting + s.ready + s.running + s.discarded_running + s.undelivered == 0 &&
                   loop.poll() == 0;
        });
    }
    /// As the clock goes on: 100 ms of it.
    bool shut_down_with_limit() {
        std::atomic<int> answer{-1};
        std::jthread ends([&] { answer = m->shut_down(100ms) ? 1 : 0; });
        CHECK(wait_for([&] {
            clock->advance(50ms);
            return answer >= 0;
        }));
        ends.join();
        return answer == 1;
    }
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    EventLoop loop;
    std::atomic<int> errors{0};
    Manager m;
};

inline Work gives(json value) {
    return [value = std::move(value)](const TaskContext&) { return value; };
}
inline TaskSpec with(std::vector<Uid> upstream, int priority = 0) {
    TaskSpec spec;
    spec.upstream = std::move(upstream);
    spec.priority = priority;
    return spec;
}
inline TaskSpec in(const char* group, std::vector<Uid> upstream = {}) {
    auto spec = with(std::move(upstream));
    spec.group = group;
    return spec;
}
inline TaskSpec at(int priority) { return with({}, priority); }

}  // namespace sg::test
