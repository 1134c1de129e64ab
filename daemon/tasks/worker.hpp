#pragma once
// Whose task this thread is running.

namespace sg::tasks {

class Pool;
struct Account;

class Worker {
public:
    static const Pool* of_this_thread() noexcept { return pool_; }
    static void set(const Pool* pool) noexcept { pool_ = pool; }

    /// Whose stage it is, where it is one.
    static const Account* account() noexcept { return account_; }
    static void set_account(const Account* account) noexcept { account_ = account; }

private:
    static inline thread_local const Pool* pool_ = nullptr;
    static inline thread_local const Account* account_ = nullptr;
};

}  // namespace sg::tasks
