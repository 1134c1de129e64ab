#pragma once
// Which tasks are still known, by uid, in the whole process.

#include <cstdint>
#include <memory>
#include <sg/pending.hpp>

namespace sg::tasks {

class Task;

/// Issues the uids of the process and finds the task of one as long as it exists.
///
/// Threads: any; costs the same however many there are.
class UidTable {
public:
    static UidTable& of_process();

    Uid next() noexcept;
    Uid last() const noexcept;

    void insert(Task& task);                    ///< once somebody owns it; it erases itself
    void erase(Task& task) noexcept;            ///< in the task's destructor
    std::shared_ptr<Task> find(Uid uid) const;  ///< null once nobody holds it

private:
    struct Shards;
    UidTable();
    Shards& shards_;  // for the life of the process: tasks of static managers end late
};

}  // namespace sg::tasks
