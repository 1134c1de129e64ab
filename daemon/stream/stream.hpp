#pragma once
// Where events come from.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "checkpoint/store.hpp"
#include "event/event_source.hpp"
#include "stream/event_reader.hpp"
#include "util/backoff.hpp"
#include "util/loop.hpp"
#include "util/result.hpp"

namespace sg::stream {

/// Every value is clamped to something harmless; configuration refuses the senseless ones by name.
struct Settings {
    std::int64_t page_size = 500;                    ///< rows per query; 1 to 500
    std::chrono::milliseconds interval{500};         ///< pause after a page that was not full …
    std::chrono::milliseconds idle_interval{5000};   ///< … and what it grows to while no event comes
    std::chrono::milliseconds gap_timeout{300'000};  ///< how long a missing id is waited for
    std::chrono::milliseconds gap_interval{1000};    ///< pause between rounds of asking for missing ids
    std::size_t gap_queries = 4;                     ///< per round at most
    std::size_t ranges_per_query = 50;               ///< open gaps that one query asks for
    std::chrono::milliseconds gap_watch{std::chrono::hours(24)};  ///< one given up is looked for; 0: not …
    std::chrono::milliseconds watch_interval{60'000};             ///< … with this pause between rounds
    std::size_t most_watched = 20'000;       ///< ranges; above it the lowest are forgotten
    std::size_t most_gaps = 20'000;          ///< open at a time; newer events wait above it
    std::size_t workers = 2;                 ///< queries at once for lanes that are behind; 1 to 16
    std::size_t catch_up_queries = 1;        ///< at once for what follows a full page; 1 to 16 …
    std::chrono::milliseconds calm{60'000};  ///< … but one after the other for so long after a failure
    std::size_t recent_bytes = std::size_t{32} << 20;  ///< pages kept for lanes that are a little behind
    Backoff::Limits backoff{std::chrono::milliseconds(250), std::chrono::milliseconds(1000),
                            std::chrono::milliseconds(60'000)};
    std::chrono::milliseconds refused_pause{60'000};  ///< while the site refuses the credential
    std::vector<std::string> fields{};                ///< of every event, besides the usual ones
    std::uint32_t escalate_after = 5;                 ///< failed attempts in a row …
    std::chrono::milliseconds escalate_time{60'000};  ///< … or this long, and it is an error
    std::chrono::milliseconds most_skew{60'000};      ///< between our clock and the site's, before a warning
    std::optional<std::chrono::milliseconds> give_up_after;  ///< a site that never answered; nullopt: wait

    /// No setting brings requests of one kind closer together than this, full pages excepted.
    static constexpr std::chrono::milliseconds interval_floor{50};
};

enum class State {
    waiting,      ///< has had no answer yet since it was started
    level,        ///< the last page showed everything
    catching_up,  ///< the last page was full
    lost,         ///< the last attempt failed
    down,         ///< … for long
    refused,      ///< the site does not accept the credential, or the query
    stopped,
};
const char* to_string(State state) noexcept;

/// Whether an id is missing between rows that the site has shown.
enum class Absence {
    no,       ///< not that the stream knows
    awaited,  ///< looked for often: it may come any moment
    watched,  ///< was given up; looked for seldom
};
const char* to_string(Absence absence) noexcept;

/// What happened so far, for people and metrics.
struct Status {
    State state = State::waiting;
    std::chrono::system_clock::time_point since{};  ///< of `state`
    EventId highest = 0;                            ///< seen
    std::size_t open_gaps = 0;                      ///< ranges
    std::optional<std::chrono::milliseconds> skew;  ///< the site's clock minus ours
    std::optional<std::chrono::system_clock::time_point> last_answer;
    std::string last_error;
    std::uint64_t polls = 0;         ///< live queries sent
    std::uint64_t lane_queries = 0;  ///< for lanes that are behind
    std::uint64_t gap_queries = 0;
    std::uint64_t answers = 0;   ///< pages of any kind that could be read
    std::uint64_t failures = 0;  ///< queries of any kind without a usable answer
    std::uint64_t events = 0;    ///< handed on by `on_live`
    std::uint64_t late = 0;      ///< rows that appeared inside open gaps
    std::uint64_t gaps_closed = 0;
    std::size_t watched = 0;      ///< ranges that were given up and are still looked for
    std::uint64_t very_late = 0;  ///< rows that appeared inside those
    std::uint64_t repeated = 0;   ///< rows that came twice in one page
    std::uint64_t ignored = 0;    ///< rows that nobody had asked for
};

/// What the owner is told, on the loop.
struct Listener {
    /// The site has answered for the first time, and `level()` is known: lanes may pull.
    std::function<void(EventId level)> on_begin;
    /// `give_up_after` has passed without any answer; the stream goes on trying until it is stopped.
    std::function<void(const Failure&)> on_give_up;
};

/// Follows the event log of one site.
///
/// Polls after the highest id seen and tells the sink; fetches for lanes that are behind; keeps the
/// ids that are missing as gaps, asks for them again, and closes a gap only when an answer that was
/// asked for after its deadline still does not show it. For each plugin every row that becomes
/// visible while its gap is open is delivered exactly once (docs/design.md says why).
///
/// Fetching and reading pages happens on threads of its own, state lives on the loop.
///
/// Threads:  the loop's thread only, or before the loop runs.
/// Lifetime: outlived by all that its constructor takes. Stop it before the sink goes.
class Stream final : public event::EventSource {
public:
    Stream(Settings settings, Loop& loop, EventReader& reader, checkpoint::Store& store,
           event::EventSink& sink, Logger& log, Listener listener = {});
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Starts polling: at the highest id the store knows, or, where it knows none, at the site's newest.
    void start();

    /// Ends queries in flight and joins the threads: within 100 ms, also when the site hangs. Blocks
    /// that long. Nothing is told to anybody afterwards. Twice is fine.
    void stop();

    /// A hint that there is something new: polls as soon as the floor allows; during an outage its
    /// own pauses go first.
    void poll_now();

    /// The same; `answered` is told once, on the loop, when the site has answered a poll that was sent after
    /// this call and there was no more to fetch: what it had is with the sink.
    void poll_now(std::function<void()> answered);

    /// The cause of an outage may be gone (another key, a person says so): tries at once, at most
    /// once a second.
    void retry_now();

    /// Asks the site for the first event that was created at `time` or later; where there is none, `ready` is
    /// told the id after the newest. One attempt, never told if the stream is stopped first.
    void first_since(std::chrono::system_clock::time_point time, std::function<void(Result<EventId>)> ready);

    Status status() const;
    Absence absence(EventId event) const;

    std::optional<event::Stretch> at_hand(EventId position) override;
    void fetch(EventId position, std::function<void(event::Stretch)> ready) override;
    EventId level() const override;
    void newest(std::function<void(EventId)> ready) override;
    void want_fields(const std::vector<std::string>& fields) override;
    std::optional<EventId> awaited(EventId position) const override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sg::stream
