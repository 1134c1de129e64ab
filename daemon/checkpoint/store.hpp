#pragma once
// How far every plugin has got, kept across restarts.

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sg/logger.hpp>
#include <sg/types.hpp>
#include <string>
#include <vector>

#include "checkpoint/dead_letter.hpp"
#include "util/clock.hpp"
#include "util/result.hpp"

namespace sg::checkpoint {

/// Progress of one plugin. Every id in (start, cursor] is settled, pending, or inside an open gap.
struct Progress {
    EventId start = 0;       ///< fixed when the plugin was first seen: nothing at or below it is its business
    EventId cursor = 0;      ///< only moves forward
    EventId handed_out = 0;  ///< events up to this id may have been handed to a callback; reserved ahead
};

/// One callback that still owes an outcome for one event at or below the cursor; or for the first event above
/// it, where the plugin stops until it succeeds.
struct Pending {
    std::string plugin;
    EventId event = 0;
    std::string callback;        ///< registered name; empty: every callback that wants it, not known yet
    std::uint32_t attempts = 0;  ///< tries that ended in a failure
    Instant due{};
    std::string last_error;
    std::string body;          ///< the row's JSON text
    bool redelivered = false;  ///< a try may have run without its outcome being known
    std::string type;          ///< what had been read of the row, so that it need not be read again
    std::string attribute;
    EntityId project = 0;
    std::chrono::sys_seconds created_at{};
    History history;
};

/// Missing ids, both ends included, awaited until `deadline` by the site's clock.
struct Gap {
    EventId first = 0;
    EventId last = 0;
    Instant deadline{};
    friend bool operator==(const Gap&, const Gap&) = default;
};

/// Missing ids that are no longer awaited, but looked for now and then until `deadline`.
using Watched = Gap;

/// A plugin that somebody told to wait.
struct Paused {
    Instant since{};
    std::string by;  ///< who said so
    friend bool operator==(const Paused&, const Paused&) = default;
};

/// A plugin that somebody told to be unloaded.
using Disabled = Paused;

/// All of it, as read when the store is opened.
struct Snapshot {
    std::optional<EventId> highest_seen;  ///< nullopt: this state directory is new
    std::map<std::string, Progress> plugins;
    std::vector<Pending> pending;             ///< ascending event id
    std::vector<Gap> gaps;                    ///< ascending, disjoint
    std::vector<Watched> watched;             ///< ascending, disjoint, also from `gaps`
    std::vector<DeadLetterPtr> dead_letters;  ///< the oldest first
    std::map<std::string, Paused> paused;     ///< by plugin
    std::map<std::string, Disabled> disabled;
    bool clean = true;  ///< the last daemon closed the store in order
};

/// What is owed once more when a dead letter is to be tried again from `due` on: with its attempts and errors
/// so far, none of which count towards giving it up again.
Pending to_try_again(const DeadLetter& letter, Instant due);

/// Changes that become durable together or not at all.
class Batch {
public:
    void set_highest_seen(EventId id);
    void set_progress(std::string plugin, Progress progress);  ///< adds the plugin, or replaces its row
    void put_pending(Pending row);                             ///< adds or replaces (plugin, event, callback)
    void erase_pending(std::string plugin, EventId event, std::string callback);
    void put_gap(Gap gap);  ///< adds, or replaces the gap with the same first id
    void erase_gap(EventId first);
    void put_watched(Watched range);  ///< adds, or replaces the one with the same first id
    void erase_watched(EventId first);
    void put_dead_letter(DeadLetterPtr letter);  ///< adds or replaces (plugin, event, callback)
    void erase_dead_letter(std::string plugin, EventId event, std::string callback);
    void set_paused(std::string plugin, std::optional<Paused> paused);        ///< nullopt: it goes on
    void set_disabled(std::string plugin, std::optional<Disabled> disabled);  ///< nullopt: it may be loaded
    /// Owes the event again, as the next attempt, with all its chances anew; the letter goes.
    void try_again(const DeadLetter& letter, Instant due);
    bool empty() const noexcept;
    std::size_t size() const noexcept;  ///< rows it changes

    /// Adds changes made later; of two to the same row the later one stays.
    void merge(Batch&& newer);

private:
    friend class Database;
    struct PendingKey {
        std::string plugin;
        EventId event;
        std::string callback;
        auto operator<=>(const PendingKey&) const = default;
    };
    // Last wins: a batch holds at most one change per row, however many were made.
    std::optional<EventId> highest_seen_;
    std::map<std::string, Progress> progress_;
    std::map<PendingKey, std::optional<Pending>> pending_;  // nullopt erases
    std::map<EventId, std::optional<Gap>> gaps_;            // by first id
    std::map<EventId, std::optional<Watched>> watched_;     // by first id
    std::map<PendingKey, std::optional<DeadLetterPtr>> dead_letters_;
    std::map<std::string, std::optional<Paused>> paused_;  // by plugin
    std::map<std::string, std::optional<Disabled>> disabled_;
};

/// How urgent it is that a batch becomes durable.
enum class Urgency {
    settled,  ///< with the next group commit, a few milliseconds
    lazy,     ///< cursor moves over events nobody wanted: rides along, or within a second
};

/// What the owner of the store is told. Called on the writer's thread: post it onwards.
struct Listener {
    /// Saving fails, or works again; the store keeps trying by itself every few seconds.
    std::function<void(const Failure&)> on_refused;
    std::function<void()> on_recovered;
};

/// The daemon's durable state: one SQLite file, written by one thread in groups.
///
/// A group holds whole batches in the order they were applied, so what is on disk is always what
/// memory was at some moment. A write that fails changes nothing: the batches stay queued, merged
/// row by row, and nothing is ever truncated. Files that were deleted or replaced under a running
/// daemon are noticed before the next group and written anew from memory.
///
/// On disk: `state.db` (and SQLite's files beside it) and `lock`, private to the user.
///
/// Threads:  every member may be called from any thread; one writer does the I/O.
/// Lifetime: outlives everything that applies batches.
class Store {
public:
    /// Who opens it. A visitor comes while no daemon runs, and leaves the mark of how the last one ended.
    enum class As { daemon, visitor };
    struct Options {
        std::filesystem::path directory;  ///< made if absent, private to the user; must be on a local disk
        std::chrono::milliseconds group_time{2};  ///< how long a group may wait for more
        std::chrono::milliseconds lazy_time{1000};
        std::size_t group_size = 1000;                ///< settled changes after which it no longer waits
        std::chrono::milliseconds retry_pause{2000};  ///< between attempts to save
        As as = As::daemon;
    };

    /// Takes the lock of the state directory and opens or creates the database. Blocks on the disk.
    /// A database that is missing, empty or foreign where an earlier one began is refused: nothing
    /// here ever starts over by itself.
    /// Errors: see `open_refusal`.
    static Result<std::unique_ptr<Store>> open(Options options, Clock& clock, Logger& log,
                                               Listener listener = {});

    /// Leaves what is not yet durable, as a crash would; `close` is the orderly end.
    virtual ~Store() = default;

    /// What was stored when it was opened.
    virtual const Snapshot& snapshot() const noexcept = 0;

    /// Grows by one with every batch.
    using Ticket = std::uint64_t;

    /// Takes the changes; returns at once. Whoever does not wait for them ignores the ticket.
    virtual Ticket apply(Batch batch, Urgency urgency) = 0;

    /// Every batch up to this ticket is durable.
    virtual Ticket durable() const noexcept = 0;

    /// Calls `done` once, on the writer's thread or inside this call: with true when the batch is
    /// durable, with false when the disk refuses it for now. Hurries nothing. Dropped uncalled
    /// if the store is closed first.
    virtual void when_saved(Ticket ticket, std::function<void(bool durable)> done) = 0;

    /// Changes taken and not yet durable.
    virtual std::size_t unsaved() const noexcept = 0;

    /// Groups that were written since it was opened, each in one commit.
    virtual std::uint64_t commits() const noexcept = 0;

    /// Waits until all that was applied before the call is durable.
    /// Errors: `timed_out`, or why saving fails.
    virtual Result<void> flush(std::chrono::milliseconds at_most) = 0;

    /// Flushes, marks the state clean and closes. Errors as `flush`.
    virtual Result<void> close(std::chrono::milliseconds at_most) = 0;
};

/// Which exit code a refused `open` deserves.
enum class OpenRefusal {
    locked,   ///< another daemon has it; the text names its pid
    damaged,  ///< not ours, newer than we are, corrupt, or gone
    io,       ///< the disk, a permission, a network file system
};
OpenRefusal open_refusal(const Failure& failure) noexcept;

}  // namespace sg::checkpoint
