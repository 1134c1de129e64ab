#include "tasks/uid_table.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "tasks/task.hpp"

namespace sg::tasks {

/// Uids are given out in order, so their low bits spread them evenly by themselves.
struct UidTable::Shards {
    static constexpr std::size_t count = 16;
    struct Shard {
        mutable std::mutex mutex;
        std::vector<Task*> buckets = std::vector<Task*>(64, nullptr);
        std::size_t size = 0;

        Task*& bucket(Uid uid) { return buckets[(uid.value() / count) & (buckets.size() - 1)]; }
        void grow() {
            std::vector<Task*> old(buckets.size() * 2, nullptr);
            old.swap(buckets);
            for (Task* chain : old)
                while (chain != nullptr) {
                    Task* next = chain->next_in_bucket_;
                    auto& head = bucket(chain->uid());
                    chain->next_in_bucket_ = head;
                    head = chain;
                    chain = next;
                }
        }
    };
    std::array<Shard, count> all;
    std::atomic<std::uint64_t> last{0};

    Shard& of(Uid uid) { return all[uid.value() % count]; }
};

UidTable::UidTable() : shards_(*new Shards) {}

UidTable& UidTable::of_process() {
    static UidTable table;
    return table;
}

Uid UidTable::next() noexcept { return Uid(shards_.last.fetch_add(1, std::memory_order_relaxed) + 1); }
Uid UidTable::last() const noexcept { return Uid(shards_.last.load(std::memory_order_relaxed)); }

void UidTable::insert(Task& task) {
    auto& shard = shards_.of(task.uid());
    std::lock_guard lock(shard.mutex);
    if (shard.size >= shard.buckets.size()) shard.grow();
    auto& head = shard.bucket(task.uid());
    task.next_in_bucket_ = head;
    head = &task;
    ++shard.size;
}

void UidTable::erase(Task& task) noexcept {
    auto& shard = shards_.of(task.uid());
    std::lock_guard lock(shard.mutex);
    for (Task** at = &shard.bucket(task.uid()); *at != nullptr; at = &(*at)->next_in_bucket_)
        if (*at == &task) {
            *at = task.next_in_bucket_;
            --shard.size;
            return;
        }
}

std::shared_ptr<Task> UidTable::find(Uid uid) const {
    auto& shard = shards_.of(uid);
    std::lock_guard lock(shard.mutex);
    for (Task* task = shard.bucket(uid); task != nullptr; task = task->next_in_bucket_)
        if (task->uid() == uid) return task->weak_from_this().lock();
    return nullptr;
}

}  // namespace sg::tasks
