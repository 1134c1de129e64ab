#pragma once
// The state of the stream. Private to it; its functions are grouped over several sources: stream.cpp the
// live poll, stream_ahead.cpp the same while there is much to catch up with, stream_lanes.cpp lanes that are
// behind, stream_gaps.cpp missing ids, stream_tail.cpp such as were given up, stream_newest.cpp where new
// plugins begin.

#include <deque>
#include <map>
#include <vector>

#include "stream/fetcher.hpp"
#include "stream/gap_tracker.hpp"
#include "stream/outage.hpp"
#include "stream/recent_pages.hpp"
#include "stream/site_clock.hpp"
#include "stream/stream.hpp"

namespace sg::stream {

/// Settings as they are used, with a warning for each that had to be changed.
Settings clamped(Settings given, Logger& log);

/// A page that owns copies of these rows.
event::PagePtr copy_rows(const std::vector<const event::EventRow*>& rows);

bool shows(const event::EventPage& page, EventId id);

/// How far an answer to a query for missing ids speaks, and for which of them.
EventId through_of(const std::vector<IdRange>& asked_for, const event::EventPage& page);
std::vector<IdRange> covered_by(const std::vector<IdRange>& asked_for, EventId through);

/// Queries beside the live poll that fail on their own: while the live poll fails too, it speaks for all.
struct SideTrouble {
    const char* what;
    Backoff backoff;
    Clock::Time until{};  ///< none is sent before
    bool said = false;

    void failed(const Failure& why, Clock::Time now, Logger& log);
    void succeeded(Logger& log);
};

class Stream::Impl {
public:
    Impl(const Settings& settings, Loop& loop, EventReader& reader, checkpoint::Store& store,
         event::EventSink& sink, Logger& log, Listener listener);

    void start();
    void stop();
    void poll_now(std::function<void()> answered);
    void retry_now();
    Status status() const;
    Absence absence(EventId event) const;
    std::optional<event::Stretch> at_hand(EventId position);
    void fetch(EventId position, std::function<void(event::Stretch)> ready);
    EventId level() const { return highest_; }
    std::optional<EventId> awaited(EventId position) const;
    void newest(std::function<void(EventId)> ready);
    void first_since(std::chrono::system_clock::time_point time, std::function<void(Result<EventId>)> ready);
    void want_fields(const std::vector<std::string>& fields);

private:
    // stream.cpp: the live poll
    void poll();
    void on_live_answer(Result<Answer> answer);
    void on_live_failure(const Failure& why);
    void first_contact(const event::EventPage& page);
    void begin();
    bool take_live(const event::PagePtr& page);
    std::chrono::milliseconds pause() const;
    void schedule_poll(Clock::Time when);
    void bring_forward(Clock::Time when);
    void note(const Answer& answer);
    void note_failure(const Failure& why);
    void watch_skew();
    void arm_escalation();

    // stream_ahead.cpp: catching up
    struct Piece {
        EventId after = 0;
        std::optional<Result<Answer>> answer{};
        std::stop_source dropped{};
    };
    bool is_calm() const;
    void learn_span(EventId after, const event::EventPage& page);
    bool is_full(const Answer& answer) const;
    void go_on();
    void send_ahead(EventId after, bool first);
    void take_ahead();
    bool take_piece(const Piece& piece);
    void drop_ahead();

    // stream_fields.cpp: which fields rows have
    void ask(Fetcher::For whom, EventQuery query, std::function<void(Result<Answer>)> done,
             std::stop_token cancel = {});
    void do_without_fields(const Failure& why);

    // stream_gaps.cpp: missing ids
    struct Holes {
        std::vector<Hole> young;  ///< to be waited for
        std::vector<Hole> old;    ///< their rows would have come by now
    };
    Holes sort_out(const std::vector<Hole>& holes) const;
    bool room_for(const Holes& holes);
    void open_gaps(const Holes& holes, checkpoint::Batch& batch);
    void pass_over(const std::vector<Hole>& holes, checkpoint::Batch& batch);
    void take_late(const event::PagePtr& page, GapTracker& from, event::Late how);
    void find_late(const event::PagePtr& page);
    void arm_gap_timer();
    void ask_for_gaps();
    void on_gap_answer(const std::vector<IdRange>& asked_for, Clock::Time asked, Result<Answer> answer);
    void close_gaps(const std::vector<IdRange>& covered, Clock::Time asked);

    // stream_tail.cpp: missing ids that were given up
    void watch(IdRange ids, checkpoint::Instant since, checkpoint::Batch& batch);
    void watch(const std::vector<Hole>& holes, checkpoint::Batch& batch);
    void arm_tail_timer();
    void ask_for_tail();
    void on_tail_answer(const std::vector<IdRange>& asked_for, Clock::Time asked, Result<Answer> answer);

    // stream_newest.cpp: what the site has now
    void ask_for_newest_at(Clock::Time when);
    void ask_for_newest();
    void on_newest_answer(Result<Answer> answer);
    void tell_newest(EventId id);

    // stream_lanes.cpp: lanes that are behind
    struct Wish {
        std::vector<std::function<void(event::Stretch)>> ready;
        bool in_flight = false;
        EventId limit = 0;             ///< level when it was sent: nothing above is handed out
        std::vector<EventId> late;     ///< appeared above its position while it was in flight
        std::vector<IdRange> covered;  ///< by other answers for lanes, while it was in flight
        std::uint32_t doubts = 0;
    };
    bool is_coming(EventId position) const;
    void fetch_ahead();
    void pump_at(Clock::Time when);
    void pump();
    void send(EventId position, Wish& wish);
    void on_lane_answer(EventId position, Result<Answer> answer);
    void divide_room();
    Result<std::optional<event::Stretch>> stretch_of(EventId position, Wish& wish, const Answer& answer);
    void note_covered(const event::Stretch& stretch);
    void deliver(EventId position, const event::Stretch& stretch);

    const Settings settings_;
    Loop& loop_;
    Clock& clock_;
    EventReader& reader_;
    checkpoint::Store& store_;
    event::EventSink& sink_;
    Logger& log_;
    Listener listener_;

    SiteClock site_;
    Outage outage_;
    GapTracker gaps_{GapTracker::Of::gaps};
    GapTracker tail_{GapTracker::Of::watched};
    RecentPages live_pages_;
    RecentPages
        lane_pages_;  // they have what the live ones leave, so that lanes far apart do not fetch each its own
    Status counters_;

    std::shared_ptr<const std::vector<std::string>> fields_;  // besides the usual ones; null: none

    EventId highest_ = 0;
    EventId base_ = 0;  // where this run's live poll began
    bool knows_position_ = false;
    bool begun_ = false;
    bool stopped_ = false;
    bool skewed_ = false;
    bool is_level_ = false;      // the last live answer came, and showed that there is no more
    Clock::Time quiet_until_{};  // Retry-After: no query of any kind before
    Loop::Handle give_up_timer_;

    bool polling_ = false;
    bool poll_again_ = false;
    bool held_ = false;  // the page at hand would open more gaps than allowed
    std::vector<std::function<void()>> before_poll_,
        in_poll_;  // who waits for an answer to the next; to this
    Clock::Time last_poll_{};
    Clock::Time last_event_{};  // when the live poll last brought one
    Clock::Time next_poll_{};
    Loop::Handle poll_timer_;
    Loop::Handle escalation_timer_;

    std::deque<std::shared_ptr<Piece>> ahead_;  // asked for beyond `highest_`, ascending
    std::size_t window_ = 1;                    // how many that may be
    EventId span_ = 0;                          // ids that a full page goes through, as far as is known
    Clock::Time calm_until_{};                  // one query at a time before

    bool asking_ = false;
    EventId next_gap_ = 0;
    std::size_t round_left_ = 0;
    SideTrouble gap_trouble_;
    Loop::Handle gap_timer_;

    bool asking_tail_ = false;
    EventId next_tail_ = 0;
    std::size_t tail_left_ = 0;
    bool tail_full_ = false;
    SideTrouble tail_trouble_;
    Loop::Handle tail_timer_;

    std::map<EventId, Wish> wishes_;  // by position
    std::deque<EventId> queue_;       // those not in flight, in the order they came
    std::size_t in_flight_ = 0;
    SideTrouble lane_trouble_;
    Loop::Handle pump_timer_;

    std::vector<std::function<void(EventId)>> newest_wanted_;
    bool asking_newest_ = false;
    SideTrouble newest_trouble_;
    Loop::Handle newest_timer_;

    std::shared_ptr<int> alive_ = std::make_shared<int>();
    std::unique_ptr<Fetcher> fetcher_;  // last: its threads end before anything they post to
};

}  // namespace sg::stream
