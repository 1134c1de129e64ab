// What a plugin that starts with `latest` is told is newest.

#include <optional>

#include "fixture.hpp"

using namespace sg;
using namespace sg::test;

namespace {

const Failure away{Cause::network, "connection refused", 0, 0, {}};

/// Asks as soon as the stream has begun, as the dispatcher does for new plugins.
struct NewestFixture : StreamFixture {
    std::optional<EventId> told;
    void start_and_ask() {
        stream::Listener listener;
        listener.on_begin = [this](EventId) { ask(); };
        stream.emplace(settings, loop, site, *store, lanes, log, std::move(listener));
        lanes.source = &*stream;
        stream->start();
        settle();
    }
    void ask() {
        stream->newest([this](EventId id) { told = id; });
    }
};

}  // namespace

TEST_CASE("C6 newest after an absence is what the site has now, not what was seen last") {
    NewestFixture f;
    f.seen(100);
    SECTION("when one page holds all that was missed") {
        f.site.show(101, 105);
        f.start_and_ask();
        CHECK(f.told == EventId{105});
    }
    SECTION("when many pages have to be read first") {
        f.site.show(101, 250);
        // Only the one page that begins the stream comes through: the answer does not wait for the others.
        f.site.hold([](const stream::EventQuery& query) {
            return query.kind == stream::EventQuery::Kind::after && query.after > 100;
        });
        f.start_and_ask();
        CHECK(f.told == EventId{250});
        CHECK(f.stream->level() == 110);
        f.site.let_go();
        f.settle();
        f.pass(2s);
        CHECK(f.stream->level() == 250);
    }
    SECTION("when nothing was missed") {
        f.start_and_ask();
        CHECK(f.told == EventId{100});
    }
}

TEST_CASE("C6 newest is known at once while the stream is level") {
    NewestFixture f;
    f.seen(100);
    f.start();
    f.site.show(101, 103);
    f.pass(2s);
    const auto before = f.site.queries().size();
    f.ask();
    CHECK(f.told == EventId{103});
    CHECK(f.site.queries().size() == before);
}

TEST_CASE("newest waits for the end of an outage") {
    NewestFixture f;
    f.seen(100);
    f.start();
    f.site.fail_always(away);
    f.pass(5s);
    f.ask();
    f.site.show(101, 104);
    f.pass(5s);
    CHECK_FALSE(f.told);
    f.site.fail_always({});
    f.stream->retry_now();
    f.pass(1s);  // no earlier than that after the last attempt
    CHECK(f.told == EventId{104});
}

TEST_CASE("a query for what is newest that fails is repeated") {
    NewestFixture f;
    f.seen(100);
    f.site.show(101, 300);
    f.site.hold([](const stream::EventQuery& query) {
        return query.kind == stream::EventQuery::Kind::after && query.after > 100;
    });
    f.start();
    REQUIRE(f.stream->level() == 110);
    f.site.fail_next(2, away);
    f.ask();
    f.settle();
    CHECK_FALSE(f.told);
    f.pass(10s);
    CHECK(f.told == EventId{300});
    f.site.let_go();
}
