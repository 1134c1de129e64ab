// The stream over real HTTP, with the real client, store and clock.

#include <future>

#include "capture_log.hpp"
#include "catch.hpp"
#include "fixture.hpp"
#include "sandbox/site.hpp"
#include "stream/site_event_reader.hpp"
#include "stream/stream.hpp"
#include "temp_dir.hpp"
#include "util/thread.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace std::chrono_literals;
using sandbox::Fault;
using sandbox::FaultKind;
using test::range;

namespace {

/// A whole stream on a loop of its own. What belongs to the loop is looked at through `on_loop`.
struct Running {
    test::TempDir dir;
    test::CaptureLog log;
    SystemClock clock;
    Loop loop{clock};
    sandbox::Site site;
    std::unique_ptr<site::Client> client;
    std::optional<stream::SiteEventReader> reader;
    std::unique_ptr<checkpoint::Store> store;
    test::Lanes lanes;
    stream::Settings settings;
    std::optional<stream::Stream> stream;
    std::jthread thread;

    template <class Function>
    auto on_loop(Function function) {
        std::promise<decltype(function())> promise;
        loop.post([&] { promise.set_value(function()); });
        return promise.get_future().get();
    }
    Running() {
        settings.page_size = 10;
        settings.interval = settings.gap_interval = 50ms;
        settings.backoff = {50ms, 100ms, 400ms};
        settings.refused_pause = 1s;
        site.add_events(100, "Shotgun_Shot_Change");
    }
    ~Running() {
        if (thread.joinable())
            on_loop([&] {
                stream.reset();
                return 0;
            });
        INFO(log.all());
        CHECK_FALSE(lanes.broken);
    }

    void start(EventId lane_from, const std::string& key = sandbox::Site::key, site::Limits limits = {}) {
        site::Settings about;
        about.base_url = site.url();
        about.limits = limits;
        auto made = site::Client::make(about, clock, log);
        REQUIRE(made);
        client = std::move(*made);
        reader.emplace(*client, site::Caller{site::Script{sandbox::Site::script, key}});
        checkpoint::Store::Options options;
        options.directory = dir / "state";
        auto opened = checkpoint::Store::open(options, clock, log);
        REQUIRE(opened);
        store = std::move(*opened);
        stream::Listener listener;
        listener.on_begin = [this](EventId) { lanes.pull_all(); };
        stream.emplace(settings, loop, *reader, *store, lanes, log, std::move(listener));
        lanes.source = &*stream;
        lanes.add(lane_from);
        thread = start_thread("sg-loop", [this](std::stop_token stop) { loop.run(stop); });
        on_loop([&] {
            stream->start();
            return 0;
        });
    }
    std::vector<EventId> got() {
        return on_loop([&] { return lanes.lanes[0].got; });
    }
    stream::Status status() {
        return on_loop([&] { return stream->status(); });
    }
    bool comes_to(const std::vector<EventId>& ids) {
        return test::wait_for([&] { return got() == ids; });
    }
    bool answers_come() {
        const auto before = status().answers;
        return test::wait_for([&] { return status().answers > before + 1; });
    }
};

}  // namespace

TEST_CASE(
    "C1 over HTTP, a new state begins at the newest event, and what follows comes within the interval") {
    Running run;
    run.start(100);
    REQUIRE(test::wait_for([&] { return run.status().state == stream::State::level; }));
    CHECK(run.status().highest == 100);
    run.site.add_event({});
    CHECK(run.comes_to(range(101, 101)));
    for (const auto& request : run.site.requests()) {
        REQUIRE(request.reads_events());
        CHECK(request.params["return_fields"].size() == 9);
        CHECK(request.params["sorts"].size() == 1);
    }
}

TEST_CASE("C2 over HTTP, a lane that starts at the earliest event gets all of them, in order") {
    Running run;
    run.start(0);
    CHECK(run.comes_to(range(1, 100)));
}

TEST_CASE("C46 over HTTP, a hidden row is delivered when it is shown, and nothing again") {
    Running run;
    run.start(100);
    REQUIRE(run.answers_come());
    run.site.add_events(4, "Shotgun_Shot_Change");
    run.site.hide_next(1);
    run.site.add_events(6, "Shotgun_Shot_Change");
    std::vector<EventId> first = {101, 102, 103, 104, 106, 107, 108, 109, 110};
    REQUIRE(run.comes_to(first));
    REQUIRE(test::wait_for([&] { return run.status().gap_queries > 1; }));
    run.site.show(105);
    first.push_back(105);
    REQUIRE(run.comes_to(first));
    run.site.add_event({});
    first.push_back(111);
    CHECK(run.comes_to(first));
    CHECK(run.status().open_gaps == 0);
}

TEST_CASE("C89 over HTTP, refused connections are an outage with a beginning, an escalation and an end") {
    Running run;
    run.start(100);
    REQUIRE(run.answers_come());
    run.site.refuse_connections();
    REQUIRE(test::wait_for([&] { return run.status().state == stream::State::down; }));
    run.site.add_events(3, "Shotgun_Shot_Change");
    run.site.accept_connections();
    CHECK(run.comes_to(range(101, 103)));
    CHECK(run.log.count("[SITE-LOST]") == 1);
    CHECK(run.log.count("[SITE-DOWN]") == 1);
    CHECK(run.log.count("[SITE-BACK]") == 1);
}

TEST_CASE("C91 over HTTP, an answer that hangs, drips, is cut or never comes is noticed within its limit") {
    Running run;
    site::Limits limits;
    limits.first_byte = 300ms;
    limits.slow_window = 300ms;
    limits.slow_bytes = 2000;
    limits.total = 2s;
    run.start(100, sandbox::Site::key, limits);
    REQUIRE(run.answers_come());
    const auto before = run.status().failures;
    SECTION("hangs in its body") { run.site.inject(Fault::hang_in_body()); }
    SECTION("a byte at a time") { run.site.inject(Fault::drip(20ms)); }
    SECTION("is cut") { run.site.inject(Fault::cut_in_body()); }
    SECTION("never comes") { run.site.inject(Fault::never_answer()); }
    SECTION("a silent connection") { run.site.silence_connections(); }
    const auto begin = std::chrono::steady_clock::now();
    run.site.add_events(5, "Shotgun_Shot_Change");
    CHECK(run.comes_to(range(101, 105)));
    CHECK(std::chrono::steady_clock::now() - begin < 20s);
    CHECK(test::wait_for([&] { return run.status().failures > before; }));
}

TEST_CASE("C92 over HTTP, Retry-After is honoured") {
    Running run;
    run.start(100);
    REQUIRE(run.answers_come());
    const auto status = GENERATE(429u, 503u);
    const auto fault = run.site.inject(Fault::status(status).retry_after(2s).on("read"));
    REQUIRE(test::wait_for([&] { return run.site.met(fault) == 1; }));
    REQUIRE(test::wait_for([&] { return run.status().failures == 1; }));
    run.site.add_events(2, "Shotgun_Shot_Change");
    REQUIRE(run.comes_to(range(101, 102)));
    const auto requests = run.site.requests();
    for (std::size_t i = 0; i + 1 < requests.size(); ++i)
        if (requests[i].status == status) CHECK(requests[i + 1].at - requests[i].at >= 1900ms);
}

TEST_CASE("C93 over HTTP, a wrong key is a state of its own, and another key ends it") {
    Running run;
    run.start(100, "wrong");
    REQUIRE(test::wait_for([&] { return run.status().state == stream::State::refused; }));
    CHECK(run.log.count("[SITE-REFUSED]") == 1);
    CHECK(run.log.all().find("wrong\"") == std::string::npos);
    run.reader->set_caller({site::Script{sandbox::Site::script, sandbox::Site::key}});
    REQUIRE(test::wait_for([&] {
        run.on_loop([&] {
            run.stream->retry_now();
            return 0;
        });
        return run.status().state == stream::State::level;
    }));
    run.site.add_event({});
    CHECK(run.comes_to(range(101, 101)));
}

TEST_CASE("C94 over HTTP, odd pages are refused or put right, and no event is lost or doubled") {
    Running run;
    run.start(100);
    REQUIRE(run.answers_come());
    bool refused = true;
    FaultKind kind = FaultKind::none;
    SECTION("HTML") { run.site.inject(Fault::html().times(2)); }
    SECTION("truncated") { run.site.inject(Fault::of(FaultKind::truncated_json).times(2)); }
    SECTION("invalid") { run.site.inject(Fault::of(FaultKind::invalid_json).times(2)); }
    SECTION("reversed") { kind = FaultKind::rows_reversed; }
    SECTION("a row twice") { kind = FaultKind::row_twice; }
    SECTION("a row below") { kind = FaultKind::row_below; }
    SECTION("an unknown field") { kind = FaultKind::unknown_field; }
    if (kind != FaultKind::none) {
        refused = false;
        run.site.inject(Fault::of(kind).until_cleared());
    }
    run.site.add_events(25, "Shotgun_Shot_Change");
    CHECK(run.comes_to(range(101, 125)));
    REQUIRE(run.answers_come());
    CHECK(run.got() == range(101, 125));
    CHECK((run.status().failures == 2) == refused);
    CHECK(run.log.count("[PAGE-REFUSED]") == (refused ? 1 : 0));
    if (kind == FaultKind::row_twice) CHECK(run.status().repeated > 0);
    if (kind == FaultKind::row_below) CHECK(run.status().ignored > 0);
}

TEST_CASE("a site that hangs does not hold up a stop") {
    Running run;
    run.start(0);
    REQUIRE(run.answers_come());
    const auto fault = run.site.inject(Fault::never_answer().until_cleared());
    REQUIRE(test::wait_for([&] { return run.site.met(fault) > 0; }));
    const auto before = run.site.request_count();
    const auto took = run.on_loop([&] {
        const auto begin = std::chrono::steady_clock::now();
        run.stream->stop();
        return std::chrono::steady_clock::now() - begin;
    });
    CHECK(took < 100ms);
    CHECK(run.site.request_count() <= before + 1);
}
