#pragma once
// Who gets which event, in what order, with what on failure.

#include <functional>
#include <memory>
#include <sg/logger.hpp>
#include <string>
#include <vector>

#include "checkpoint/store.hpp"
#include "dispatch/ended_call.hpp"
#include "dispatch/settings.hpp"
#include "dispatch/steering.hpp"
#include "event/event_source.hpp"
#include "plugins/generation.hpp"
#include "plugins/interrupted.hpp"
#include "util/loop.hpp"

namespace sg::dispatch {

enum class LaneState {
    waiting_for_start,   ///< new, and the site's newest id is not known yet
    waiting_for_plugin,  ///< no generation serves: loading, refused, or its host is being started again
    level,               ///< has been offered everything there is
    behind,              ///< has events waiting, here or at the site
    halted,              ///< stands at an event that a callback must not miss, and tries that again
    paused,              ///< a person says so
    held,                ///< owes too many failed events; takes no new ones
    unsaved,             ///< all lanes: too much is not on disk; nothing is handed out
    draining,            ///< all lanes: the daemon is stopping
};
const char* to_string(LaneState state) noexcept;

/// One lane at one moment, for people.
struct LaneStatus {
    std::string plugin;
    LaneState state = LaneState::waiting_for_plugin;
    std::string why;      ///< of a state that is not normal; else empty
    Clock::Time since{};  ///< of `state`
    EventId start = 0;
    EventId position = 0;  ///< highest id taken from the source
    EventId cursor = 0;    ///< everything up to here is settled, pending or awaited
    EventId settled = 0;   ///< the cursor, or where it will be when what has ended is written
    std::optional<std::chrono::sys_seconds> oldest;  ///< when the first event in hand was written
    std::size_t queued = 0;                          ///< taken, wanted, and not handed out
    std::size_t outstanding = 0;                     ///< handed out and without an outcome
    std::size_t pending = 0;                         ///< callbacks that owe an outcome below the cursor
    std::uint64_t succeeded = 0;                     ///< calls, since the daemon started
    std::uint64_t failed = 0;                        ///< calls, since the daemon started
    std::uint64_t skipped = 0;  ///< events of callbacks that were settled by a failure, since then
    std::size_t dead = 0;       ///< dead letters
};

/// A callback that owes an outcome for an event, for people.
struct OwedCall {
    std::string callback;
    std::uint32_t attempts = 0;
    std::chrono::system_clock::time_point due{};
    std::string last_error;
    bool running = false;
};

/// One ordered lane per plugin between the stream and the hosts.
///
/// A plugin gets its events one at a time in id order. A callback that fails owes that event: the debt is
/// stored, tried again with growing pauses, and the lane goes on meanwhile; in the end it is a dead letter.
/// Other callbacks let such an event go, or stop their lane at it. Lanes share nothing but the index that
/// says who wants an event, so none waits for another.
///
/// The service wires it like this:
///
///     dispatch::Dispatcher dispatcher(settings, loop, *store, log);
///     stream::Stream stream(…, dispatcher, …);      // as its event::EventSink
///     plugins::PluginSet plugins(…, dispatcher, …);  // as its plugins::GenerationOwner
///     // on the loop, when it is known which plugins there are:
///     dispatcher.expect(found);
///     // once, on the loop, when the stream has had its first answer from the site:
///     dispatcher.begin(stream);
///     // at the end, on the loop: drain, then stop the plugin set, then:
///     dispatcher.finish();
///     // then, on any thread: store->close(…)
///
/// Threads:  the loop's thread only, or before the loop runs.
/// Lifetime: outlived by loop, store, source and logger. Generations may outlive it.
class Dispatcher final : public event::EventSink, public plugins::GenerationOwner {
public:
    /// Makes a lane for every plugin that the store knows.
    Dispatcher(Settings settings, Loop& loop, checkpoint::Store& store, Logger& log);
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    /// Lanes may pull. `latest` means after the newest event that the site has when a plugin first runs.
    /// Before, plugins may become ready; those that are new wait, and owed events are tried again.
    void begin(event::EventSource& source);

    /// These plugins are being loaded. Until each is ready or refused, or `Settings::gather_time` has passed
    /// without another one, nothing is fetched for lanes that are behind: they set out together, so that one
    /// page serves them all.
    void expect(const std::vector<std::string>& plugins);

    /// Takes start rules, failure rules and pauses from `settings`; from the next start and failure on.
    void configure(const Settings& settings);

    void on_live(const event::Stretch& live) override;
    void on_late(const event::PagePtr& rows, checkpoint::Batch& batch, event::Late how) override;
    EventId taken_through() const override;
    void on_given_up() override;

    void on_ready(std::shared_ptr<plugins::Generation> generation) override;
    void on_outcomes(plugins::Generation& generation, std::vector<plugins::Outcome> outcomes) override;
    void on_end(plugins::Generation& generation, const plugins::HostEnd& end) override;
    void on_refused(const std::string& plugin, const Failure& why, bool will_retry) override;

    /// Hands out nothing more, and calls `done` with the number of events still without an
    /// outcome: when that is none, or when `at_most` has passed. Called once, from the loop.
    void drain(Clock::Duration at_most, std::function<void(std::size_t left)> done);

    /// Stores how far events were handed out, exactly. After `drain` and after the hosts are gone,
    /// before `Store::close`; what was handed out and never ended is handed out again next time.
    void finish();

    /// What was running when an earlier daemon ended with its plugin in it. Each counts as an attempt that
    /// crashed, as soon as the event is met; one that was settled since does not. Before `begin`.
    void count_interrupted(std::vector<plugins::Interrupted> calls);

    /// `told` hears of each call that ends, on the loop, before its outcome is stored.
    void on_ended_call(std::function<void(const EndedCall&)> told);

    std::vector<LaneStatus> status() const;

    /// What this plugin's callbacks owe of this event.
    std::vector<OwedCall> owed(const std::string& plugin, EventId event) const;

    /// Every plugin that runs, is not paused and does not stand at an event was handed all that it wants up
    /// to here, and each call has ended, whatever became of it.
    EventId done_through() const;

    /// What was given up, as of now; what is behind the pointer never changes.
    std::shared_ptr<const std::vector<checkpoint::DeadLetterPtr>> dead_letters() const;

    /// The chosen dead letters are handed out again at once, marked as such, with all their attempts before
    /// them; or they are gone for good. Returns how many there were. `caller` is who asks, for the log.
    std::size_t retry_letters(const checkpoint::LetterChoice& choice, const std::string& caller);
    std::size_t drop_letters(const checkpoint::LetterChoice& choice, const std::string& caller);

    /// Tells a plugin's lane what a person says; `done` hears what came of it, perhaps much later.
    void steer(const Steering& what, SteeringDone done);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sg::dispatch
