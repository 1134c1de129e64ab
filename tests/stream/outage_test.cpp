// When the site does not answer.

#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
using stream::State;

namespace {

const Failure lost{Cause::network, "connection refused", 0, 0, {}};

}  // namespace

TEST_CASE("C89 an outage is a warning, an error and an end, each once, with few requests in between") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    const auto before = f.live_queries();
    f.site.fail_always(lost);
    f.pass(60s);
    CHECK(f.log.count("[SITE-LOST]") == 1);
    CHECK(f.log.count("[SITE-DOWN]") == 1);
    CHECK(f.stream->status().state == State::down);
    CHECK(f.stream->status().last_error == "connection refused");
    const auto attempts = f.live_queries() - before;
    CHECK(attempts >= 5);
    CHECK(attempts <= 12);
    f.site.show(101, 102);
    f.site.fail_always({});
    f.pass(61s);
    CHECK(f.log.count("[SITE-BACK]") == 1);
    CHECK(f.log.count("[SITE-BACK] The site answers again. after_s=") == 1);
    CHECK(f.stream->status().state == State::level);
    CHECK(lane.got == range(101, 102));
    for (const auto& line : f.log.lines()) {
        if (line.text.find("[SITE-LOST]") != std::string::npos) CHECK(line.level == LogLevel::warning);
        if (line.text.find("[SITE-DOWN]") != std::string::npos) CHECK(line.level == LogLevel::error);
        if (line.text.find("[SITE-BACK]") != std::string::npos) CHECK(line.level == LogLevel::info);
    }
}

TEST_CASE("a site that swallows queries is said to be down in time, though no attempt has ended") {
    StreamFixture f;
    f.settings.escalate_time = 30s;
    f.settings.escalate_after = 1000;
    f.seen(100);
    f.start();
    f.site.fail_always(lost);
    for (int i = 0; i < 100 && f.log.count("[SITE-LOST]") == 0; ++i) f.pass(100ms);
    REQUIRE(f.log.count("[SITE-LOST]") == 1);
    f.site.hold([](const stream::EventQuery&) { return true; });
    f.site.fail_always({});
    f.pass(25s);
    CHECK(f.log.count("[SITE-DOWN]") == 0);
    CHECK(f.site.holding() == 1);
    f.pass(6s);
    CHECK(f.log.count("[SITE-DOWN]") == 1);
    CHECK(f.stream->status().state == State::down);
    f.site.let_go();
    f.settle();
    CHECK(f.log.count("[SITE-BACK]") == 1);
    f.pass(60s);
    CHECK(f.log.count("[SITE-DOWN]") == 1);
}

TEST_CASE("wake-ups do not hurry the attempts of an outage, a person does, once a second") {
    StreamFixture f;
    f.seen(100);
    f.start();
    f.site.fail_always(lost);
    f.pass(60s);
    const auto before = f.live_queries();
    for (int i = 0; i < 100; ++i) {
        f.stream->poll_now();
        f.settle();
    }
    CHECK(f.live_queries() == before);
    f.site.fail_always({});
    f.clock.advance(1s);
    f.stream->retry_now();
    f.settle();
    CHECK(f.stream->status().state == State::level);
    const auto after = f.live_queries();
    for (int i = 0; i < 100; ++i) {
        f.stream->retry_now();
        f.settle();
    }
    CHECK(f.live_queries() == after);
}

TEST_CASE("C92 Retry-After is honoured by every kind of query") {
    StreamFixture f;
    f.seen(100);
    f.start();
    f.site.show(102, 105);  // with a gap, so that there are two kinds of queries
    f.pass(2s);
    Failure busy{Cause::busy, "slow down", 0, GENERATE(429, 503), 3s};
    f.site.fail_next(1, busy);
    for (int i = 0; i < 20 && f.stream->status().failures == 0; ++i) f.pass(100ms);
    REQUIRE(f.stream->status().failures == 1);
    const auto before = f.site.queries().size();
    f.stream->poll_now();
    f.stream->retry_now();
    f.pass(2900ms);
    CHECK(f.site.queries().size() == before);
    f.pass(3s);
    CHECK(f.site.queries().size() > before);
    CHECK(f.stream->status().state == State::level);
}

TEST_CASE("C93 a refused credential is a state of its own, tried slowly, and ends without a restart") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    const auto before = f.live_queries();
    f.site.fail_always(Failure{Cause::authentication, "cannot authenticate", 102, 200, {}});
    f.pass(600s, 1s);
    CHECK(f.stream->status().state == State::refused);
    CHECK(f.log.count("[SITE-REFUSED]") == 1);
    CHECK(f.log.count("[SITE-LOST]") == 0);
    CHECK(f.log.count("[SITE-DOWN]") == 0);
    CHECK(f.live_queries() - before <= 10);
    CHECK(f.live_queries() - before >= 2);
    f.site.fail_always({});
    f.site.show(101);
    f.stream->retry_now();
    f.settle();
    CHECK(lane.got == range(101, 101));
    CHECK(f.log.count("[SITE-BACK]") == 1);
}

TEST_CASE("C94 a refused page is a failure with its own code, and is fetched again") {
    StreamFixture f;
    f.seen(100);
    auto& lane = f.lanes.add(100);
    f.start();
    f.site.show(101, 103);
    f.site.fail_next(2, Failure{Cause::bad_answer, "the answer is no sound JSON", 0, 200, {}});
    f.pass(20s);
    CHECK(f.log.count("[PAGE-REFUSED]") == 1);
    CHECK(f.log.count("[SITE-BACK]") == 1);
    CHECK(lane.got == range(101, 103));
    CHECK(f.stream->status().failures == 2);
}

TEST_CASE("without a site the stream waits, says so, and begins when there is one") {
    StreamFixture f;
    f.settings.give_up_after = 30s;
    f.site.show(1, 50);
    f.site.fail_always(lost);
    f.start();
    f.pass(20s);
    CHECK(f.log.count("[WAITING-FOR-SITE]") == 1);
    CHECK(f.log.count("[SITE-LOST]") == 0);
    CHECK(f.begun.empty());
    CHECK(f.given_up.empty());
    SECTION("in time") {
        f.site.fail_always({});
        f.stream->retry_now();  // its own pause may end after the limit
        f.pass(60s);
        CHECK(f.begun == std::vector<EventId>{50});
        CHECK(f.given_up.empty());
    }
    SECTION("too late for a strict start") {
        f.pass(15s);
        REQUIRE(f.given_up.size() == 1);
        CHECK(f.given_up[0].message.find("connection refused") != std::string::npos);
    }
}
