#pragma once
// What one lane's callbacks still owe.

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
};

/// The debts of a lane, by event and callback and by when they are due.
///
/// Threads: one.
class PendingSet {
public:
    /// Adds it, or replaces the one of the same event and callback.
    Debt& put(Debt debt);
    void erase(EventId event, const std::string& callback);
    Debt* find(EventId event, const std::string& callback);

    /// Looks up who owes by name, as the callbacks are now.
    void assign(const std::vector<plugins::CallbackInfo>& callbacks);

    /// Those whose callback was not known yet, taken out.
    std::vector<Debt> take_unassigned();

    /// When the next one can be handed out.
    std::optional<Clock::Time> next_due() const;

    /// Marks as running, and returns, what is due first: of one event at one attempt, by ascending
    /// callback. Empty: nothing is due by `now`.
    std::vector<Debt*> start_due(Clock::Time now);

    /// Takes the mark away and says when it is due again.
    void stop(Debt& debt, Clock::Time due);

    /// It is durable: it may be started. Nothing, if it is gone.
    void saved(EventId event, const std::string& callback);

    std::vector<Debt*> running();

    /// Those whose stored row must still be told of their mark.
    std::vector<Debt*> unmarked();

    /// The first event for which the lane stands still, if any.
    std::optional<EventId> first_stop() const {
        return stops_.empty() ? std::nullopt : std::optional(*stops_.begin());
    }
    /// The last event that anything is owed for; 0: none.
    EventId last_event() const noexcept { return debts_.empty() ? 0 : debts_.rbegin()->first.first; }

    std::size_t running_count() const noexcept { return running_; }
    std::size_t running_bytes() const noexcept { return running_bytes_; }
    std::size_t size() const noexcept { return debts_.size(); }

    /// Of callbacks that exist: debts of others cannot grow, and must not hold up the lane for ever.
    std::size_t owed() const noexcept { return owed_; }
    std::size_t owed_bytes() const noexcept { return owed_bytes_; }

private:
    using Key = std::pair<EventId, std::string>;
    void enter(const Key& key, Debt& debt);
    void leave(const Key& key, Debt& debt);

    std::map<Key, Debt> debts_;
    std::set<std::pair<Clock::Time, Key>> due_;  // those that only wait for their time
    std::multiset<EventId> stops_;
    std::size_t running_ = 0;
    std::size_t running_bytes_ = 0;
    std::size_t owed_ = 0;
    std::size_t owed_bytes_ = 0;
};

}  // namespace sg::dispatch
