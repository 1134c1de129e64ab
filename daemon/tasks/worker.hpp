#pragma once
// Whose task this thread is running.

namespace sg::tasks {

class Pool;

class Worker {
public:
    static const Pool* of_this_thread() noexcept { return pool_; }
    static void set(const Pool* pool) noexcept { pool_ = pool; }

private:
    static inline thread_local const Pool* pool_ = nullptr;
};

}  // namespace sg::tasks
