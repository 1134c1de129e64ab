#pragma once
// What one lane's callbacks still owe.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/dead_letter.hpp"
#include "event/event_page.hpp"
#include "plugins/generation.hpp"
#include "util/clock.hpp"

namespace sg::dispatch {

/// One callback that owes an outcome for one event behind the lane's cursor.
struct Debt {
    event::EventHandle event;  ///< detached: it may be kept for long
    std::string callback;      ///< registered name; empty: whoever wants it, asked at the next generation
    std::uint32_t attempts = 0;
    Clock::Time due{};
    std::string last_error;
    bool redelivered = false;    ///< a try may have run without its outcome being known
    bool mark_is_stored = true;  ///< false: the stored row does not say `redelivered` yet
    bool awaits_disk = false;    ///< not durable yet: were it started, a kill could repeat it unmarked
    bool running = false;        ///< handed out, and without an outcome
    std::optional<std::uint16_t> index;  ///< of the callback now; none: no such callback is registered
    bool stops = false;                  ///< the lane does not go on while this is owed
    checkpoint::History history;

    // Of a callback that gathers: those with one callback, key and number of attempts become one call.
    std::string key{};              ///< `gathering_key`; empty: it is a call of its own
    bool settles = false;           ///< its time moves while the entity is stirred
    EventId led_by = 0;             ///< while running: the event that was handed out for it; 0: its own
    std::vector<EventId> merged{};  ///< while running: those that this one leads
};

/// What is to be handed out as one.
struct DueCall {
    std::vector<Debt*>
        debts;               ///< of one event, by ascending callback; or of one callback, by ascending event
    bool is_merged = false;  ///< the latter: the last one leads
};

/// Gives it the key of what the callback gathers. For one that is in no set.
void set_gathering(Debt& debt, const host::Gathering& gathering);

/// The debts of a lane, by event and callback and by when they are due.
///
/// Threads: one.
class PendingSet {
public:
    /// Adds it, or replaces the one of the same event and callback.
    Debt& put(Debt debt);
    void erase(EventId event, const std::string& callback);
    Debt* find(EventId event, const std::string& callback);

    /// Looks up who owes by name, as the callbacks are now. A callback that gathers says so to its debts.
    void assign(const std::vector<plugins::CallbackInfo>& callbacks);

    /// Those whose callback was not known yet, taken out.
    std::vector<Debt> take_unassigned();

    /// When the next one can be handed out.
    std::optional<Clock::Time> next_due() const;

    /// Marks as running, and returns, what is due first: of one event at one attempt, or what was gathered by
    /// one callback. No debts: nothing is due by `now`.
    DueCall start_due(Clock::Time now);

    /// When those with this key are due that were not tried yet, if there are any that wait.
    std::optional<Clock::Time> gathered_until(const std::string& callback, const std::string& key) const;

    bool has_settling() const noexcept { return !settling_.empty(); }
    /// Whether an entity of this event type may be among those that settle.
    bool may_stir(std::string_view type) const;
    /// Those that settle and have this key are due by what `when` says for their callback's index.
    void stir(const std::string& key, const std::function<Clock::Time(std::uint16_t)>& when);

    /// Those that failed and wait for their next try are due now; how many.
    std::size_t hurry(Clock::Time now);

    /// Takes the mark away and says when it is due again.
    void stop(Debt& debt, Clock::Time due);

    /// It is durable: it may be started. Nothing, if it is gone.
    void saved(EventId event, const std::string& callback);

    /// Those of events above this one, by ascending event.
    std::vector<Debt*> above(EventId event);

    std::vector<Debt*> running();

    /// Those whose stored row must still be told of their mark.
    std::vector<Debt*> unmarked();

    /// The first event for which the lane stands still, if any.
    std::optional<EventId> first_stop() const {
        return stops_.empty() ? std::nullopt : std::optional(*stops_.begin());
    }
    /// The last event that anything is owed for; 0: none.
    EventId last_event() const noexcept { return debts_.empty() ? 0 : debts_.rbegin()->first.first; }

    /// Calls; those that were merged are one.
    std::size_t running_count() const noexcept { return running_; }
    std::size_t running_bytes() const noexcept { return running_bytes_; }
    std::size_t size() const noexcept { return debts_.size(); }

    /// Of callbacks that exist: debts of others cannot grow, and must not hold up the lane for ever.
    std::size_t owed() const noexcept { return owed_; }
    std::size_t owed_bytes() const noexcept { return owed_bytes_; }

private:
    using Key = std::pair<EventId, std::string>;
    void enter_group(const Key& key, const Debt& debt);
    void leave_group(const Key& key, const Debt& debt);
    void enter(const Key& key, Debt& debt);
    void leave(const Key& key, Debt& debt);

    std::map<Key, Debt> debts_;
    std::set<std::pair<Clock::Time, Key>> due_;  // those that only wait for their time
    std::multiset<EventId> stops_;
    struct Group {
        std::string callback, key;
        std::uint32_t attempts;
        friend auto operator<=>(const Group&, const Group&) = default;
    };
    std::map<Group, std::set<EventId>> groups_;      // of those that wait
    std::map<std::string, std::set<Key>> settling_;  // by key: those that wait and were not tried yet
    std::size_t running_ = 0;
    std::size_t running_bytes_ = 0;
    std::size_t owed_ = 0;
    std::size_t owed_bytes_ = 0;
};

}  // namespace sg::dispatch
