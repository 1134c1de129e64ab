#pragma once
// The two seams of the dispatcher, driven by a test: where events come from, and where plugins run.

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "capture_log.hpp"
#include "catch.hpp"
#include "dispatch/dispatcher.hpp"
#include "temp_dir.hpp"
#include "wait_for.hpp"

namespace sg::test {

using namespace std::chrono_literals;
using checkpoint::Batch;
using dispatch::Dispatcher;
using plugins::CallbackInfo;
using plugins::Outcome;

struct Row {
    EventId id = 0;
    std::string type = "Shotgun_Shot_Change";
    std::string attribute = "code";
    std::size_t size = 100;
    std::string json{};  ///< of the row; empty: `size` bytes that nobody reads
    EntityId project = 0;

    std::string raw() const { return json.empty() ? std::string(size, 'x') : json; }
};

inline event::PagePtr page_of(const std::vector<Row>& rows) {
    std::string bytes;
    for (const auto& row : rows) bytes += row.type + row.attribute + row.raw();
    // The page owns a copy of the text as its side, so that the views can be made before it is.
    auto side = std::make_unique<char[]>(bytes.size() + 1);
    bytes.copy(side.get(), bytes.size());
    std::vector<event::EventRow> out;
    const char* at = side.get();
    for (const auto& row : rows) {
        event::EventRow made;
        made.id = row.id;
        made.type = std::string_view(at, row.type.size());
        made.attribute = std::string_view(at + row.type.size(), row.attribute.size());
        made.project = row.project;
        made.raw = std::string_view(at + row.type.size() + row.attribute.size(), row.raw().size());
        at += row.type.size() + row.attribute.size() + made.raw.size();
        out.push_back(made);
    }
    return std::make_shared<const event::EventPage>(bytes, std::move(out), std::move(side));
}

/// A site and its stream: rows become visible when a test says so.
class ScriptedSource final : public event::EventSource {
public:
    ScriptedSource(Loop& loop, EventId level) : loop_(loop), level_(level) {}

    std::optional<event::Stretch> at_hand(EventId position) override {
        for (const auto& stretch : recent_)
            if (stretch.after <= position && position < stretch.through)
                return event::Stretch{stretch.after, stretch.through,
                                      rows_between(stretch.after, stretch.through)};
        return std::nullopt;
    }
    void fetch(EventId position, std::function<void(event::Stretch)> ready) override {
        ++fetches;
        std::vector<Row> rows;
        for (auto row = visible_.upper_bound(position); row != visible_.end() && row->first <= level_;
             ++row) {
            rows.push_back(row->second);
            if (rows.size() == page_size) break;
        }
        const auto through = rows.size() == page_size ? rows.back().id : level_;
        waiting_.push_back([=, page = page_of(rows)] { ready({position, through, page}); });
        if (!hold_fetches) release_fetches();
    }
    EventId level() const override { return level_; }
    std::optional<EventId> awaited(EventId position) const override {
        const auto first = gaps.upper_bound(position);
        return first == gaps.end() ? std::nullopt : std::optional(*first);
    }

    /// Makes rows visible that nobody was told of yet, as rows that were there before the start.
    void show(const Row& row) { visible_[row.id] = row; }
    void hide(EventId id) { visible_.erase(id); }

    /// Shows rows as the next live page.
    event::Stretch next_live(const std::vector<Row>& rows) {
        for (const auto& row : rows) show(row);
        event::Stretch live{level_, rows.back().id, page_of(rows)};
        level_ = live.through;
        recent_.push_back({live.after, live.through, nullptr});
        if (recent_.size() > keep_recent) recent_.pop_front();
        return live;
    }
    void release_fetches() {
        for (auto& answer : std::exchange(waiting_, {})) loop_.post(std::move(answer));
    }
    void set_level(EventId level) { level_ = level; }

    std::size_t page_size = 50;
    std::size_t keep_recent = 0;
    bool hold_fetches = false;
    int fetches = 0;
    std::set<EventId> gaps;  ///< ids that are missing and waited for

private:
    event::PagePtr rows_between(EventId after, EventId through) const {
        std::vector<Row> rows;
        for (auto row = visible_.upper_bound(after); row != visible_.end() && row->first <= through; ++row)
            rows.push_back(row->second);
        return page_of(rows);
    }
    Loop& loop_;
    EventId level_;
    std::map<EventId, Row> visible_;
    std::deque<event::Stretch> recent_;
    std::vector<std::function<void()>> waiting_;
};

/// One call of a callback, as a recorder in the plugin would see it.
struct Call {
    EventId event = 0;
    std::string callback;
    std::uint32_t attempt = 1;
    bool redelivered = false;
    friend bool operator==(const Call&, const Call&) = default;
};
inline std::ostream& operator<<(std::ostream& out, const Call& call) {
    return out << call.event << "/" << call.callback << "#" << call.attempt << (call.redelivered ? "!" : "");
}

/// A host whose plugin does what the test says, one call at a time.
class ScriptedGeneration final : public plugins::Generation {
public:
    ScriptedGeneration(std::string plugin, std::vector<CallbackInfo> callbacks, std::uint64_t number = 1,
                       std::string file = {})
        : plugin_(std::move(plugin)),
          file_(std::move(file)),
          callbacks_(std::move(callbacks)),
          number_(number) {}

    const std::string& plugin() const noexcept override { return plugin_; }
    std::uint64_t number() const noexcept override { return number_; }
    const std::string& build() const noexcept override { return build_; }
    const std::vector<CallbackInfo>& callbacks() const noexcept override { return callbacks_; }
    std::string_view file() const noexcept override { return file_; }
    const std::string& alerts() const noexcept override { return alerts_; }
    void deliver(plugins::Deliver deliver) override {
        runs.emplace_back();
        for (const auto& run : deliver.runs) runs.back().push_back(run.rows.size());
        const auto batch = host::expand(std::move(deliver));
        batches.push_back(batch.size());
        for (auto& delivery : batch) {
            merged.emplace_back(delivery.merged);
            merged.back().push_back(delivery.event.id());
        }
        for (auto& delivery : batch)
            for (const auto callback : delivery.callbacks) {
                bytes_ += delivery.event.row().raw.size();
                calls_.push_back(
                    {{delivery.event.id(), callbacks_[callback].name, delivery.attempt, delivery.redelivered},
                     callback});
            }
        most_waiting = std::max(most_waiting, calls_.size());
    }

    bool is_idle() const { return calls_.empty(); }
    std::size_t waiting() const { return calls_.size(); }
    const Call& next() const { return calls_.front().first; }

    /// Ends the first call that waits.
    Outcome end(bool ok, std::chrono::microseconds took = 10us) {
        const auto [call, index] = calls_.front();
        calls_.pop_front();
        journal.push_back(call);
        return {call.event, index, ok, Cause::internal, ok ? "" : "it broke", took};
    }
    /// Ends the call of this event, wherever it stands.
    Outcome end_of(EventId event, bool ok = true) {
        const auto place = std::find_if(calls_.begin(), calls_.end(),
                                        [&](const auto& one) { return one.first.event == event; });
        std::rotate(calls_.begin(), place, place + 1);
        return end(ok);
    }
    plugins::Running begin_next() {
        const auto [call, index] = calls_.front();
        journal.push_back(call);
        return {call.event, index};
    }

    std::vector<Call> journal;                   ///< calls that were begun
    std::vector<std::size_t> batches;            ///< events of each
    std::vector<std::vector<std::size_t>> runs;  ///< events of the runs in each batch
    std::vector<std::vector<EventId>> merged;    ///< of each delivery, what `Context::merged` would name
    std::size_t most_waiting = 0;

private:
    std::string plugin_, build_ = "0123", alerts_ = "\"all\"";
    std::string file_;
    std::vector<CallbackInfo> callbacks_;
    std::uint64_t number_;
    std::deque<std::pair<Call, std::uint16_t>> calls_;
    std::size_t bytes_ = 0;
};

using GenerationPtr = std::shared_ptr<ScriptedGeneration>;

/// Stands still until a test moves it; with a `tick`, each look at it takes that long.
class TickingClock final : public Clock {
public:
    Time now() const override { return inner_.now() + (ticked_ += tick); }
    std::chrono::system_clock::time_point utc() const override { return inner_.utc(); }
    std::optional<Duration> until(Time deadline) const override { return inner_.until(deadline - ticked_); }
    bool sleep_until(Time deadline, std::stop_token stop) override {
        return inner_.sleep_until(deadline - ticked_, std::move(stop));
    }
    int on_jump(std::function<void()> woken) override { return inner_.on_jump(std::move(woken)); }
    void off_jump(int key) override { inner_.off_jump(key); }
    void advance(Duration by) { inner_.advance(by); }
    void set_utc(std::chrono::system_clock::time_point utc) { inner_.set_utc(utc); }

    Duration tick{0};  ///< for tests whose loop runs on their own thread

private:
    ManualClock inner_;
    mutable Duration ticked_{0};
};

/// A daemon's middle: a real store on a real file, a loop and a clock that the test drives.
class Rig {
public:
    explicit Rig(EventId level = 100, dispatch::Settings with = {})
        : source(loop, level), settings(std::move(with)) {
        boot();
    }

    void boot() {
        checkpoint::Store::Options options;
        options.directory = directory;
        options.retry_pause = 20ms;
        auto opened = checkpoint::Store::open(options, system_clock, log);
        INFO((opened ? std::string() : opened.error().message));
        REQUIRE(opened);
        store = std::move(*opened);
        dispatcher = std::make_unique<Dispatcher>(settings, loop, *store, log);
    }
    void begin() { dispatcher->begin(source); }

    enum class Saved { yes, no };

    /// As kill -9, right after a group commit or at any other moment.
    void crash(Saved saved = Saved::yes) {
        if (saved == Saved::yes) REQUIRE(store->flush(10s));
        dispatcher.reset();
        store.reset();
        loop.run_ready();
        generations.clear();
    }
    void stop() {
        dispatcher->finish();
        REQUIRE(store->close(10s));
        crash(Saved::no);
    }

    GenerationPtr load(const std::string& plugin, std::vector<CallbackInfo> callbacks = {{"all", {}}},
                       const std::string& collection = "/plugins") {
        auto generation = std::make_shared<ScriptedGeneration>(plugin, std::move(callbacks), ++number_,
                                                               collection + "/" + plugin + ".so");
        generations.push_back(generation);
        dispatcher->on_ready(generation);
        return generation;
    }

    void live(const std::vector<Row>& rows) {
        dispatcher->on_live(source.next_live(rows));
        settle_loop();
    }
    void live(EventId first, EventId last) {
        std::vector<Row> rows;
        for (EventId id = first; id <= last; ++id) rows.push_back({id});
        live(rows);
    }
    void late(const std::vector<Row>& rows, event::Late how = event::Late::awaited) {
        for (const auto& row : rows) source.show(row);
        Batch batch;
        dispatcher->on_late(page_of(rows), batch, how);
        store->apply(std::move(batch), checkpoint::Urgency::settled);
        settle_loop();
    }

    /// Lets posted work run, reservations become durable, and what they let go be handed out.
    void settle_loop() {
        do sync();
        while (loop.run_ready() > 0);
    }
    /// Until all is durable and everyone who waited for it was told: they are told in order.
    void sync() {
        loop.run_ready();
        std::atomic<bool> told{false};
        const auto ticket = store->apply({}, checkpoint::Urgency::settled);
        store->when_saved(ticket, [&](bool) { told = true; });
        REQUIRE(store->flush(10s));
        REQUIRE(wait_for([&] { return told.load(); }));
    }
    void finish_one(const GenerationPtr& generation, bool ok = true, std::chrono::microseconds took = 10us) {
        REQUIRE_FALSE(generation->is_idle());
        dispatcher->on_outcomes(*generation, {generation->end(ok, took)});
        settle_loop();
    }
    /// Runs all that is handed out, in batches, until nothing is.
    void run(const GenerationPtr& generation, const std::function<bool(const Call&)>& succeeds = nullptr) {
        settle_loop();
        while (!generation->is_idle()) {
            std::vector<Outcome> outcomes;
            while (!generation->is_idle())
                outcomes.push_back(generation->end(!succeeds || succeeds(generation->next())));
            dispatcher->on_outcomes(*generation, std::move(outcomes));
            settle_loop();
        }
    }
    void end(const GenerationPtr& generation, const plugins::HostEnd& why) {
        dispatcher->on_end(*generation, why);
        settle_loop();
    }
    void pass(Clock::Duration time) {
        clock.advance(time);
        settle_loop();
    }
    dispatch::LaneStatus status(const std::string& plugin) const {
        for (auto& lane : dispatcher->status())
            if (lane.plugin == plugin) return lane;
        return {};
    }
    TempDir temp;
    std::filesystem::path directory = temp / "state";
    TickingClock clock;
    SystemClock system_clock;
    CaptureLog log;
    Loop loop{clock};
    ScriptedSource source;
    dispatch::Settings settings;
    std::unique_ptr<checkpoint::Store> store;
    std::unique_ptr<Dispatcher> dispatcher;
    std::vector<GenerationPtr> generations;

private:
    std::uint64_t number_ = 0;
};

inline std::vector<EventId> ids(const std::vector<Call>& calls) {
    std::vector<EventId> out;
    for (const auto& call : calls) out.push_back(call.event);
    return out;
}
inline std::vector<EventId> range(EventId first, EventId last) {
    std::vector<EventId> out;
    for (EventId id = first; id <= last; ++id) out.push_back(id);
    return out;
}

}  // namespace sg::test
