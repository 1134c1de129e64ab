// What is applied is what is found again.
#include <atomic>
#include <thread>

#include "failing_vfs.hpp"
#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
using checkpoint::Gap;
using checkpoint::Instant;
using checkpoint::Pending;

namespace {

constexpr EventId big = (EventId{1} << 53) + 1;

Pending a_pending(EventId event) {
    Pending row;
    row.plugin = "notes";
    row.event = event;
    row.callback = "on_new";
    row.attempts = 3;
    row.due = Instant(std::chrono::milliseconds(1'772'000'000'123));
    row.last_error = "no d\xC3\xA4mon\nhere";
    row.body = R"({"id": 1, "meta": "'; --"})";
    row.redelivered = true;
    row.type = "Shotgun_Shot_New";
    row.project = 70;
    row.created_at = std::chrono::sys_seconds(std::chrono::seconds(1'772'000'000));
    return row;
}

}  // namespace

TEST_CASE("C23 what was stored is found again, with ids above 2^53 exact") {
    StateFixture state;
    {
        const auto store = state.open();
        CHECK_FALSE(store->snapshot().highest_seen);
        CHECK(store->snapshot().clean);
        Batch batch;
        batch.set_highest_seen(big + 9);
        batch.set_progress("notes", {big, big + 5, big + 7});
        batch.put_pending(a_pending(big + 2));
        batch.put_gap({big + 3, big + 4, Instant(std::chrono::milliseconds(42))});
        batch.put_watched({big + 1, big + 2, Instant(std::chrono::milliseconds(43))});
        batch.put_watched({5, 6, {}});
        batch.erase_watched(5);
        store->apply(std::move(batch), Urgency::settled);
        REQUIRE(store->close(10s));
    }
    const auto store = state.open();
    const auto& found = store->snapshot();
    CHECK(found.clean);
    CHECK(found.highest_seen == big + 9);
    REQUIRE(found.plugins.count("notes") == 1);
    CHECK(found.plugins.at("notes").start == big);
    CHECK(found.plugins.at("notes").cursor == big + 5);
    CHECK(found.plugins.at("notes").handed_out == big + 7);
    REQUIRE(found.pending.size() == 1);
    const auto& row = found.pending.front();
    const auto expected = a_pending(big + 2);
    CHECK(row.event == expected.event);
    CHECK(row.attempts == 3);
    CHECK(row.due == expected.due);
    CHECK(row.last_error == expected.last_error);
    CHECK(row.body == expected.body);
    CHECK(row.redelivered);
    CHECK(row.type == expected.type);
    CHECK(row.attribute.empty());
    CHECK(row.project == 70);
    CHECK(row.created_at == expected.created_at);
    CHECK(found.gaps == std::vector<Gap>{{big + 3, big + 4, Instant(std::chrono::milliseconds(42))}});
    CHECK(found.watched == std::vector<Gap>{{big + 1, big + 2, Instant(std::chrono::milliseconds(43))}});
}

TEST_CASE("of two changes to a row the later one stays, and an erased row is gone") {
    StateFixture state;
    {
        const auto store = state.open();
        store->apply(progress("notes", 5), Urgency::lazy);
        store->apply(progress("notes", 6), Urgency::lazy);
        Batch both;
        both.put_pending(a_pending(3));
        both.put_gap({8, 9, {}});
        both.put_gap({20, 22, {}});
        store->apply(std::move(both), Urgency::lazy);
        Batch again;
        again.erase_pending("notes", 3, "on_new");
        again.erase_gap(8);
        again.put_gap({20, 20, {}});
        store->apply(std::move(again), Urgency::settled);
        REQUIRE(store->flush(10s));
    }
    const auto store = state.open();
    CHECK(store->snapshot().plugins.at("notes").cursor == 6);
    CHECK(store->snapshot().pending.empty());
    CHECK(store->snapshot().gaps == std::vector<Gap>{{20, 20, {}}});
}

TEST_CASE("a store that was not closed is found unclean, with all that was durable") {
    StateFixture state;
    {
        const auto store = state.open();
        store->apply(progress("notes", 7), Urgency::settled);
        REQUIRE(store->flush(10s));
    }
    const auto store = state.open();
    CHECK_FALSE(store->snapshot().clean);
    CHECK(store->snapshot().plugins.at("notes").cursor == 7);
}

TEST_CASE("batches become durable in groups, each with a sync, and are reported") {
    FailingVfs vfs;
    StateFixture state;
    const auto store = state.open();
    const int before = FailingVfs::syncs;
    std::atomic<int> told{0};
    Store::Ticket last = 0;
    for (EventId id = 1; id <= 500; ++id) {
        last = store->apply(progress("notes", id), Urgency::settled);
        store->when_saved(last, [&](bool durable) { told += durable ? 1 : 1000; });
    }
    REQUIRE(store->flush(10s));
    CHECK(store->durable() == last);
    CHECK(store->unsaved() == 0);
    REQUIRE(wait_for([&] { return told == 500; }));
    CHECK(FailingVfs::syncs > before);
    CHECK(FailingVfs::syncs < before + 250);
    CHECK(read_number(state.file(), "SELECT cursor FROM plugin") == 500);
}

TEST_CASE("a lazy change is saved by itself, and at once with one that is not") {
    StateFixture state;
    const auto store = state.open();
    const auto lazy = store->apply(progress("notes", 1), Urgency::lazy);
    const auto urgent = store->apply(progress("other", 1), Urgency::settled);
    REQUIRE(wait_for([&] { return store->durable() >= urgent; }));
    CHECK(store->durable() >= lazy);
    const auto alone = store->apply(progress("notes", 2), Urgency::lazy);
    CHECK(wait_for([&] { return store->durable() >= alone; }));
}

TEST_CASE("time for a group is taken from the clock") {
    StateFixture state;
    ManualClock clock;
    Store::Options options;
    options.directory = state.directory;
    auto opened = Store::open(options, clock, state.log);
    REQUIRE(opened);
    const auto& store = *opened;
    const auto lazy = store->apply(progress("notes", 1), Urgency::lazy);
    CHECK(store->durable() < lazy);
    clock.advance(1s);
    REQUIRE(wait_for([&] { return store->durable() == lazy; }));
}

TEST_CASE("many threads may apply at once") {
    StateFixture state;
    {
        const auto store = state.open();
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (EventId id = 1; id <= 200; ++id) {
                    const auto ticket = store->apply(progress("plugin" + std::to_string(t), id),
                                                     id % 2 ? Urgency::lazy : Urgency::settled);
                    store->when_saved(ticket, [](bool) {});
                    if (id % 50 == 0) [[maybe_unused]]
                        const auto done = store->flush(10s);
                }
            });
        threads.clear();
        REQUIRE(store->close(10s));
    }
    const auto store = state.open();
    for (int t = 0; t < 4; ++t)
        CHECK(store->snapshot().plugins.at("plugin" + std::to_string(t)).cursor == 200);
}

TEST_CASE("C17 a read-only connection sees whole groups only") {
    StateFixture state;
    const auto store = state.open();
    Batch first;
    first.set_progress("a", {0, 1, 1});
    first.set_progress("b", {0, 1, 1});
    store->apply(std::move(first), Urgency::settled);
    REQUIRE(store->flush(10s));
    std::atomic<bool> end{false};
    std::atomic<int> reads{0}, torn{0};
    std::jthread reader([&] {
        while (!end) {
            const auto differing = read_number(state.file(), "SELECT count(DISTINCT cursor) - 1 FROM plugin");
            ++reads;
            if (differing != 0) ++torn;
        }
    });
    for (EventId id = 2; id <= 1000 || reads < 50; ++id) {
        Batch batch;
        batch.set_progress("a", {0, id, id});
        batch.set_progress("b", {0, id, id});
        store->apply(std::move(batch), Urgency::settled);
        if (id % 5 == 0) REQUIRE(store->flush(10s));
    }
    end = true;
    reader.join();
    CHECK(reads >= 50);
    CHECK(torn == 0);
}
