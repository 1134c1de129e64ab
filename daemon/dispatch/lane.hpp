#pragma once
// The ordered queue of one plugin.

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dispatch/dispatcher.hpp"
#include "dispatch/pending_set.hpp"
#include "dispatch/shared.hpp"
#include "dispatch/steering.hpp"
#include "plugins/interrupted.hpp"
#include "util/long_deque.hpp"

namespace sg::dispatch {

inline constexpr EventId no_bound = std::numeric_limits<EventId>::max();

/// Takes events from the source, hands them to the plugin's generation, and settles what ends.
///
/// `position` is the highest id taken, `cursor` what stands before the lowest id that is taken and
/// not settled. Whatever moves the cursor past an event that somebody still owes stores the debt in
/// the same batch. What is beyond the bounds stays at the source and is pulled when there is room.
///
/// Where a callback must not miss an event it failed on, the lane stops: what it owes of that event is stored
/// while the cursor stays before it. Such a callback has the last event in hand, so that none follows.
///
/// A late row above the cursor is a stray: it is kept in memory alone, for a restart meets it
/// again, and becomes a debt when the cursor passes it.
///
/// Threads: the loop's thread only.
class Lane : public std::enable_shared_from_this<Lane> {
public:
    Lane(std::string plugin, std::uint32_t slot, Shared& shared);

    const std::string& plugin() const noexcept { return plugin_; }
    bool has_start() const noexcept { return has_start_; }

    /// What the store knew of it. `unclean`: the last daemon may have handed out more than it wrote.
    void load(const checkpoint::Progress& progress);
    void load(const checkpoint::Pending& row, bool unclean);
    void load(const checkpoint::Paused& paused);

    /// A plugin never seen before begins after `start`; stored at once.
    void start_at(EventId start);

    /// The source is there.
    void begun();

    void ready(std::shared_ptr<plugins::Generation> generation);
    /// Hands out nothing: the caller pumps, unless too much is unsaved now.
    void outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes);
    void ended(plugins::Generation& generation, const plugins::HostEnd& end);
    void refused(const Failure& why, bool will_retry);

    void live(const event::Stretch& stretch);

    /// `row` is detached.
    void late(const event::EventHandle& row, checkpoint::Batch& batch, event::Late how);
    void suspect(plugins::Interrupted call);

    /// What was given up is owed again, now: `batch` turns the stored letter into that.
    void retry_letter(const checkpoint::DeadLetter& letter, checkpoint::Batch& batch);

    /// What it owes newly may be handed out when the batch of this ticket is durable.
    void free_when_saved(checkpoint::Store::Ticket ticket);

    /// Pulls and hands out what may be.
    void pump();

    /// A person says so. What is in hand ends first.
    void steer(const Steering& what, SteeringDone done);

    /// Adds what makes the stored state exact to `batch`.
    void finish(checkpoint::Batch& batch);

    /// It has taken what it wants up to here. No bound, where it takes nothing now.
    EventId taken_through() const;

    /// All that it wants up to here was handed out and has ended, whatever became of it. No bound, where the
    /// plugin is not there, or stands at an event.
    EventId done_through() const;

    std::size_t outstanding() const noexcept { return flying_ + debts_.running_count(); }
    LaneStatus status() const;
    std::vector<OwedCall> owed(EventId event);

private:
    /// An event; or several of a page in a row, which need not be told apart yet: then it is about the first.
    struct Item {
        event::EventHandle event;
        const CallbackList* callbacks = nullptr;
        const CallbackList* gatherers = nullptr;  // those that are owed it and called later; null: none
        host::WantedPtr wanted{};                 // keeps `rows`
        std::span<const host::WantedRow> rows{};  // all of them; none: it stands alone

        std::size_t size() const noexcept { return std::max<std::size_t>(1, rows.size()); }
        EventId last() const { return rows.empty() ? event.id() : event.page->rows()[rows.back().row].id; }
        Item first() const { return {event, callbacks, gatherers}; }
        bool drop(std::size_t events);  // off its front; false: nothing is left
    };
    struct Failed {
        std::uint16_t callback = 0;
        std::string error;
        Cause cause = Cause::internal;
        bool crashed = false;  // it was running when its host died
        bool started = true;
        std::string trace{};    // of the crash
        bool in_doubt = false;  // it was running when the daemon ended, of it or of anything else
    };
    struct Flight {
        Item item;
        std::size_t done = 0;  // callbacks with an outcome; they end in order
        std::vector<Failed> failed;
        std::chrono::microseconds took{};

        // Of a run, what is said of it is about its first event.
        bool is_complete() const noexcept { return done == item.callbacks->size(); }
    };

    // Taking.
    void pull();
    void fetch();
    void fetched(event::Stretch stretch);
    void take(const event::Stretch& stretch);
    std::optional<EventId> take_rows(const event::PagePtr& page, EventId limit);
    bool has_room(const event::PagePtr& page) const;
    EventId strict_limit(EventId through) const;
    bool goes_on() const;
    void recount_pages();
    void forget_queue();

    // Calls that an earlier daemon died in.
    std::vector<plugins::Interrupted>::iterator suspect_of(EventId event, const std::string& callback);
    void judge_suspects();
    void crashed_before(Debt& debt, checkpoint::Batch& batch);
    void set_aside(Item& item);

    // Handing out.
    void hand_out();
    plugins::Deliver next_batch(Clock::Time now);
    void add_single(plugins::Deliver& batch);
    void add_run(plugins::Deliver& batch, std::size_t most, EventId limit);
    void leave_queue(std::size_t events);
    std::size_t window() const;
    bool fits(std::size_t bytes, std::size_t most) const;
    bool is_held();
    bool may_stop(const Item& item) const;
    bool stands() const;
    bool is_reserved(EventId id);
    void reserve(EventId through);
    void arm_retry(Clock::Time now);
    plugins::Delivery delivery_of(const DueCall& due) const;

    // Gathering.
    void split(Item& item);
    bool land_gathered();
    void gather(Debt& debt) const;
    void watch_quiet(const event::EventPage& page, EventId after, EventId through);

    // Settling.
    void take_outcome(plugins::Outcome& outcome, checkpoint::Batch& batch);
    void flight_outcome(Flight& flight, plugins::Outcome& outcome);
    void debt_outcome(Debt& debt, plugins::Outcome& outcome, checkpoint::Batch& batch);
    void end_debt(Debt& debt, plugins::Outcome outcome, checkpoint::Batch& batch);
    void land_complete(checkpoint::Batch& batch);
    void drop_first_flight();
    void land(Flight& flight, checkpoint::Batch& batch);
    void acknowledge_part(checkpoint::Batch& batch);
    void acknowledge_overtaken(checkpoint::Batch& batch);
    void measure(std::chrono::microseconds took);
    void tell_ended(const event::EventRow& event, const plugins::Outcome& outcome, bool first) const;
    std::optional<std::chrono::sys_seconds> oldest() const;
    void move_cursor(checkpoint::Batch& batch);
    void save(checkpoint::Batch batch, checkpoint::Urgency urgency, std::size_t outcomes);
    EventId lowest_settled() const;
    checkpoint::Progress progress() const { return {start_, cursor_, reserved_}; }

    // Owing.
    void owe(const event::EventHandle& event, const Failed& failed, checkpoint::Batch& batch);
    void owe_new(const event::EventHandle& event, const std::string& callback, checkpoint::Batch& batch);
    Debt new_debt(const event::EventHandle& event, std::uint16_t callback) const;
    Debt debt_of(const checkpoint::Pending& row) const;
    void assign(Debt& debt) const;
    checkpoint::Pending stored(const Debt& debt) const;

    // Failing.
    const FailureRule& rule() const;
    OnFailure policy(std::uint16_t callback) const;
    void attempt_failed(Debt& debt, Failed failed, checkpoint::Batch& batch);
    void note_error(Debt& debt, Failed failed);
    void try_again(Debt& debt, checkpoint::Batch& batch);
    void skip(Debt& debt, checkpoint::Batch& batch);
    std::optional<std::string> reason_to_give_up(const Debt& debt) const;
    bool give_up(Debt& debt, std::string why, checkpoint::Batch& batch);
    void settle(Debt& debt, checkpoint::Batch& batch);
    void tell_given_up(const std::string& callback, EventId event, const std::string& why,
                       const std::string& error);
    void tell_halted(const Debt& debt, Clock::Duration pause);
    void tell_if_goes_on();
    Clock::Duration pause_after(std::uint32_t attempts);

    // Steering.
    void pause(const std::string& caller, SteeringDone done);
    void resume(const std::string& caller, SteeringDone done);
    void begin_seek(const Steering& what, SteeringDone done);
    void seek_now(EventId next, const std::string& caller, const SteeringDone& done);
    void retry_now(const std::string& caller, const SteeringDone& done);
    void skip_now(const std::string& caller, const SteeringDone& done);
    void when_idle(std::function<void()> act);
    void fulfil_wishes();
    void apply_steering(checkpoint::Batch batch, Steered said, SteeringDone done);

    // Generations.
    void switch_over();
    void resolve_unassigned();
    void return_flights(const plugins::HostEnd& end, checkpoint::Batch& batch);
    void return_debts(const plugins::HostEnd& end, checkpoint::Batch& batch);
    std::string callback_name(std::uint16_t index) const;

    void warn_if_far_behind();
    LaneState state() const;
    void note_state();

    const std::string plugin_;
    const std::uint32_t slot_;
    Shared& shared_;

    bool has_start_ = false;
    EventId start_ = 0;
    EventId position_ = 0;
    EventId cursor_ = 0;              // as in the last batch
    EventId reserved_ = 0;            // as in the last batch
    EventId durably_reserved_ = 0;    // up to here an event may be handed out
    EventId perhaps_handed_out_ = 0;  // by an earlier daemon

    LongDeque<Item> queue_;
    std::size_t queued_ = 0;       // events of it
    std::size_t queue_bytes_ = 0;  // of the pages it keeps alive
    struct Fill {
        std::size_t events = std::numeric_limits<std::size_t>::max();  // none: what came last fitted
        std::size_t bytes = std::numeric_limits<std::size_t>::max();
    };
    Fill full_at_;
    LongDeque<Flight> flights_;  // handed out; ascending
    std::size_t flying_ = 0;     // events of it
    std::size_t flight_bytes_ = 0;
    std::map<EventId, Item> strays_;
    PendingSet debts_;
    std::vector<std::pair<EventId, std::string>> new_debts_;  // in no batch that has a ticket yet

    std::shared_ptr<plugins::Generation> generation_;  // none: it has ended, or there never was one
    std::shared_ptr<plugins::Generation> next_;        // serves when the one before it has nothing in hand
    std::vector<plugins::CallbackInfo> callbacks_;     // as last registered
    std::string signature_;                            // of these; empty: never registered

    std::optional<checkpoint::Paused> paused_;   // nothing is taken or handed out
    std::vector<std::function<void()>> wishes_;  // for when nothing is in hand; nothing is handed out before

    bool fetching_ = false;
    std::uint64_t ask_ = 0;          // an answer to an earlier wish is ignored
    EventId late_floor_ = no_bound;  // turned up while a fetch was under way

    UtcTime taken_{};          // the outcomes at hand: a clock for each would cost more than the rest of it
    std::size_t to_take_ = 0;  // of these
    std::chrono::microseconds per_event_{};
    bool measured_ = false;
    bool held_ = false;
    bool warned_behind_ = false;
    bool has_stoppers_ = false;  // callbacks that stop the lane where they fail
    struct Split {
        CallbackList at_once, gatherers;
    };
    std::size_t at_once_ = 1;   // events that may run at once
    bool is_strict_ = false;    // waits for missing ids
    bool takes_turns_ = false;  // waits for the plugins before it
    EventId told_done_ = 0;     // to those behind it
    bool has_gatherers_ = false;
    std::map<const CallbackList*, Split> splits_;  // of the index's lists, as far as they were met
    std::vector<plugins::Interrupted> suspects_;   // until their event is met
    std::deque<Split> set_aside_;                  // what these left of the index's lists
    bool told_halted_ = false;
    bool quiet_ = false;  // a dead letter was told of a moment ago: more are counted
    std::uint64_t untold_ = 0;
    std::string why_;
    LaneState noted_ = LaneState::waiting_for_start;
    Clock::Time since_{};
    std::uint64_t succeeded_ = 0, failed_ = 0, skipped_ = 0;
    Loop::Handle retry_, tell_;
};

}  // namespace sg::dispatch
