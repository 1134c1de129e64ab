#pragma once
// What a host is running, where it can be read after the host is dead.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/link/messages.hpp"
#include "util/fd.hpp"

namespace sg::host {

/// Some kilobytes that the host writes before and after each call of plugin code, and the daemon
/// reads while it waits, and once more when the host is gone. Messages are batched: this page is
/// the truth about what has begun and what has ended. Whatever a plugin scribbles over it, the
/// daemon compares with what it handed out.
///
/// Calls are counted from 1 in the life of a host; call n is running when it has begun and `ended`
/// is below n.
///
/// Threads: one writer at a time; any reader. Lives in memory that two processes share.
class RunPage {
public:
    /// Outcomes that may have ended and not be received yet; the host reports earlier than that.
    static constexpr std::size_t ring_size = 1024;

    struct Call {
        std::uint64_t sequence = 0;
        EventId event = 0;
        std::uint16_t callback = 0;
    };

    void begin(const Call& call) noexcept;
    void end(const Outcome& outcome) noexcept;  ///< of the call that was begun last

    // Where calls overlap each thread has a slot, and outcomes are numbered as they are reached: what follows
    // takes the place of `begin` and `end`, one writer at a time for each slot, one at a time for
    // `end_beside`.
    static constexpr std::size_t slots = most_at_once;
    void begin_beside(const Call& call, std::size_t slot) noexcept;
    void end_beside(const Outcome& outcome, std::uint64_t number, std::size_t slot) noexcept;

    /// The call that is running where none overlap; nullopt between calls.
    std::optional<Call> running() const noexcept;

    /// All that are running.
    std::vector<Call> all_running() const;

    /// What ended with a sequence above `received`, in order. Texts are not kept here.
    /// For a writer that is gone: a living one may overtake the reader.
    std::vector<Outcome> ended_after(std::uint64_t received) const;

    std::uint64_t ended() const noexcept { return ended_.load(std::memory_order_acquire); }

    static constexpr std::uint64_t magic_value = 0x5347524e00000004;  // changes with the layout
    const std::uint64_t magic = magic_value;

private:
    struct Entry {
        std::atomic<std::uint64_t> sequence{0};
        std::atomic<EventId> event{0};
        std::atomic<std::uint32_t> callback_and_result{0};  // callback, cause, ok: 16, 8 and 8 bits
        std::atomic<std::uint32_t> duration_us{0};
    };
    struct Slot {
        std::atomic<std::uint64_t> sequence{0};  // 0: nothing runs
        std::atomic<EventId> event{0};
        std::atomic<std::uint32_t> callback{0};
    };
    void keep(const Outcome& outcome, std::uint64_t number) noexcept;

    std::atomic<std::uint64_t> begun_{0};
    std::atomic<EventId> event_{0};
    std::atomic<std::uint32_t> callback_{0};
    std::atomic<std::uint64_t> ended_{0};
    std::array<Entry, ring_size> ring_{};
    std::array<Slot, slots> slots_{};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// A page in a memfd, mapped here, that another process can map too.
class SharedRunPage {
public:
    /// Errors: `internal`, when the system refuses memory or a descriptor.
    static Result<SharedRunPage> make();

    /// Maps the page behind `fd`; `invalid` if that is something else.
    static Result<SharedRunPage> open(UniqueFd fd);

    RunPage& page() const noexcept { return *page_; }
    int fd() const noexcept { return fd_.get(); }

private:
    struct Unmap {
        void operator()(RunPage* page) const noexcept;
    };
    UniqueFd fd_;
    std::unique_ptr<RunPage, Unmap> page_;
};

}  // namespace sg::host
