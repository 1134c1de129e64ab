// What keeps memory bounded.
#include <algorithm>
#include <fstream>

#include "host/link/codec.hpp"
#include "scripted.hpp"
#include "site/limits.hpp"

using namespace sg;
using namespace sg::test;

TEST_CASE("C79 a lane never holds more than its bound, and nothing is lost or reordered") {
    dispatch::Settings settings;
    settings.queue_events = 10;
    settings.window_events = 4;
    Rig rig(100, settings);
    rig.begin();
    auto plugin = rig.load("p");
    std::vector<Call> journal;
    const auto look = [&] {
        CHECK(rig.status("p").queued <= 10);
        CHECK(rig.status("p").outstanding <= 4);
    };
    for (EventId id = 101; id <= 1100; id += 20) {
        rig.live(id, id + 19);
        look();
        if (id % 3 == 0 && !plugin->is_idle()) rig.finish_one(plugin);
        look();
    }
    for (int i = 0; i < 400; ++i) {
        rig.finish_one(plugin);
        look();
    }
    journal = plugin->journal;
    rig.crash();
    rig.boot();
    rig.begin();
    plugin = rig.load("p");
    while (!plugin->is_idle() || rig.status("p").cursor < 1100) {
        rig.settle_loop();
        rig.finish_one(plugin);
        look();
    }
    journal.insert(journal.end(), plugin->journal.begin(), plugin->journal.end());
    CHECK(ids(journal) == range(101, 1100));
    CHECK(plugin->most_waiting <= 4);
}

TEST_CASE("the pages that a queue keeps alive are bounded too") {
    dispatch::Settings settings;
    settings.queue_bytes = 100'000;
    Rig rig(100, settings);
    rig.source.page_size = 10;
    rig.begin();
    const auto plugin = rig.load("p", {{"c", EventFilter{}.on("A")}});
    std::vector<EventId> expected;
    for (EventId id = 101; id <= 400; id += 10) {
        std::vector<Row> rows{{id, "A", "x", 100}};
        for (EventId other = id + 1; other < id + 10; ++other) rows.push_back({other, "B", "x", 1000});
        rig.live(rows);
        expected.push_back(id);
        CHECK(rig.status("p").queued <= 11);
    }
    rig.run(plugin);
    CHECK(ids(plugin->journal) == expected);
    CHECK(rig.status("p").cursor == 400);
}

TEST_CASE("C39 an event larger than every bound travels alone") {
    dispatch::Settings settings;
    settings.queue_bytes = 1000;
    settings.window_bytes = 1000;
    Rig rig(100, settings);
    rig.begin();
    const auto plugin = rig.load("p");
    rig.live({{101, "A", "x", 100}, {102, "A", "x", 1'000'000}, {103, "A", "x", 100}});
    CHECK(plugin->batches == std::vector<std::size_t>{1});
    rig.finish_one(plugin);
    CHECK(plugin->batches == std::vector<std::size_t>{1, 1});
    rig.run(plugin);
    CHECK(ids(plugin->journal) == range(101, 103));
    CHECK(plugin->batches == std::vector<std::size_t>{1, 1, 1});
}

TEST_CASE("C39 the largest event that the site client lets through crosses the link") {
    // A row that is one whole answer, nearly all of it a type and an attribute, for as many callbacks as can
    // be.
    constexpr auto answer = site::Limits{}.answer_bytes;
    const auto page =
        page_of({{101, std::string(answer / 2, 't'), std::string(answer - answer / 2, 'a'), answer}});
    plugins::Delivery delivery{{page, 0}, {}, 1, false};
    delivery.callbacks.resize(65'535);
    std::string bytes;
    const auto encoded = host::encode(host::ToHost(host::Deliver{{delivery}}), bytes);
    INFO((encoded ? std::string() : encoded.error().message));
    REQUIRE(encoded);
    host::FrameReader reader(host::frame_limit_to_host);
    bytes.copy(reader.room(bytes.size()), bytes.size());
    reader.took(bytes.size());
    auto frame = reader.next();
    REQUIRE((frame && *frame));
    const auto message = host::decode_to_host(std::move(**frame));
    REQUIRE(message);
    const auto& arrived = std::get<host::Deliver>(*message).batch.at(0);
    CHECK(arrived.event.id() == 101);
    CHECK(arrived.event.row().raw.size() == answer);
    CHECK(arrived.event.row().type.size() + arrived.event.row().attribute.size() == answer);
    CHECK(arrived.callbacks.size() == 65'535);
}

TEST_CASE("a host gets about as much as it works off in the time for it, and a fast one large batches") {
    Rig rig;
    rig.begin();
    const auto slow = rig.load("slow"), fast = rig.load("fast");
    rig.live(101, 900);
    rig.run(fast);
    CHECK(*std::max_element(fast->batches.begin(), fast->batches.end()) >= 128);
    for (int i = 0; i < 40; ++i) rig.finish_one(slow, true, 20ms);
    slow->most_waiting = 0;
    for (int i = 0; i < 40; ++i) rig.finish_one(slow, true, 20ms);
    CHECK(slow->most_waiting <= 6);
}

TEST_CASE("a lane that owes too much takes no new event, says so once, and goes on when it owes less") {
    dispatch::Settings settings;
    settings.pending_rows = 20;
    settings.window_events = 8;
    Rig rig(100, settings);
    rig.begin();
    const auto bad = rig.load("bad"), good = rig.load("good");
    bool broken = true;
    const auto works = [&](const Call&) { return !broken; };
    for (EventId id = 101; id <= 300; id += 10) {
        rig.live(id, id + 9);
        rig.run(bad, works);
        rig.run(good);
    }
    CHECK(rig.status("good").cursor == 300);
    CHECK(rig.status("bad").state == dispatch::LaneState::held);
    CHECK(rig.status("bad").pending >= 20);
    CHECK(rig.status("bad").pending < 28);
    for (int i = 0; i < 5; ++i) {
        rig.pass(1min);
        rig.run(bad, works);
    }
    CHECK(rig.log.count("[LANE-HELD]") == 1);
    broken = false;
    for (int i = 0; i < 5 && rig.status("bad").cursor < 300; ++i) {
        rig.pass(5min);
        rig.run(bad, works);
    }
    CHECK(rig.status("bad").cursor == 300);
    CHECK(rig.status("bad").pending == 0);
    CHECK(rig.log.count("[LANE-FREE]") == 1);
}

TEST_CASE("a plugin far behind is caught up by pages of its own, and the level ones are not fed again") {
    dispatch::Settings settings;
    settings.starts["behind"] = {dispatch::StartRule::Kind::earliest, 0};
    Rig rig(5000, settings);
    for (EventId id = 1; id <= 5000; ++id) rig.source.show({id});
    rig.source.keep_recent = 3;
    rig.begin();
    const auto level = rig.load("level"), behind = rig.load("behind");
    for (EventId id = 5001; id <= 5100; id += 10) {
        rig.live(id, id + 9);
        rig.run(level);
        CHECK(rig.status("level").cursor == id + 9);
    }
    rig.run(behind);
    CHECK(ids(level->journal) == range(5001, 5100));
    CHECK(ids(behind->journal) == range(1, 5100));
}

TEST_CASE("with too many outcomes unsaved nothing is handed out until they are, and it is said once") {
    dispatch::Settings settings;
    settings.unsaved = 50;
    settings.window_events = 200;
    Rig rig(100, settings);
    rig.begin();
    const auto plugin = rig.load("p"), other = rig.load("q");
    rig.live(101, 101);
    rig.run(plugin);
    rig.run(other);
    // The directory of the state becomes a file: nothing can be written, not even anew.
    std::filesystem::remove_all(rig.directory);
    std::ofstream(rig.directory) << "in the way";
    const auto run_unsaved = [&](const GenerationPtr& generation) {
        rig.loop.run_ready();
        while (!generation->is_idle()) {
            std::vector<Outcome> outcomes;
            while (!generation->is_idle()) outcomes.push_back(generation->end(true));
            rig.dispatcher->on_outcomes(*generation, std::move(outcomes));
            rig.loop.run_ready();
        }
    };
    std::vector<Row> rows;
    for (EventId id = 102; id <= 600; ++id) rows.push_back({id});
    rig.dispatcher->on_live(rig.source.next_live(rows));
    REQUIRE(wait_for([&] {
        run_unsaved(plugin);
        run_unsaved(other);
        return rig.status("p").state == dispatch::LaneState::unsaved && rig.log.count("[STATE-BEHIND]") == 1;
    }));
    const auto handled = plugin->journal.size() + other->journal.size();
    CHECK(handled >= 50);
    CHECK(handled < 50 + 2 * 200 + 2);
    for (int i = 0; i < 20; ++i) {
        rig.clock.advance(100ms);
        run_unsaved(plugin);
        run_unsaved(other);
    }
    CHECK(plugin->journal.size() + other->journal.size() == handled);
    CHECK(rig.log.count("[STATE-BEHIND]") == 1);

    std::filesystem::remove(rig.directory);
    REQUIRE(wait_for([&] {
        rig.clock.advance(100ms);
        run_unsaved(plugin);
        run_unsaved(other);
        return rig.status("p").cursor == 600 && rig.status("q").cursor == 600;
    }));
    CHECK(rig.log.count("[STATE-CAUGHT-UP]") == 1);
    CHECK(ids(plugin->journal) == range(101, 600));
    CHECK(ids(other->journal) == range(101, 600));
    rig.crash();
    rig.boot();
    CHECK(rig.store->snapshot().plugins.at("p").cursor == 600);
}
