// A disk that refuses, and files that vanish, under a store that runs.
#include <atomic>

#include "failing_vfs.hpp"
#include "fixture.hpp"

using namespace sg;
using namespace sg::test;
namespace fs = std::filesystem;

namespace {

struct Told {
    std::atomic<int> refused{0}, recovered{0};
    checkpoint::Listener listener() {
        return {[this](const Failure&) { ++refused; }, [this] { ++recovered; }};
    }
};

}  // namespace

TEST_CASE("C16 while the disk refuses nothing is lost, it is said once, and saved by itself later") {
    FailingVfs vfs;
    StateFixture state;
    Told told;
    {
        const auto store = state.open(told.listener());
        store->apply(progress("notes", 1), Urgency::settled);
        REQUIRE(store->flush(10s));

        FailingVfs::refuse_writes = true;
        std::atomic<int> waiters_refused{0};
        for (EventId id = 2; id <= 20; ++id) {
            const auto ticket = store->apply(progress("notes", id), Urgency::settled);
            store->when_saved(ticket, [&](bool durable) { waiters_refused += durable ? 0 : 1; });
        }
        const auto flushed = store->flush(10s);
        REQUIRE_FALSE(flushed);
        CHECK(flushed.error().message.find("state.db") != std::string::npos);
        const int tries = FailingVfs::refused;
        REQUIRE(wait_for([&] { return FailingVfs::refused > tries + 5; }));
        CHECK(waiters_refused == 19);
        CHECK(store->unsaved() == 19);
        CHECK(told.refused == 1);
        CHECK(state.log.count("[STATE-UNSAVED]") == 1);
        CHECK(read_number(state.file(), "SELECT cursor FROM plugin") == 1);

        FailingVfs::refuse_writes = false;
        REQUIRE(wait_for([&] { return told.recovered == 1; }));
        CHECK(told.refused == 1);
        CHECK(store->unsaved() == 0);
        CHECK(state.log.count("[STATE-SAVED]") == 1);
        REQUIRE(store->close(10s));
    }
    CHECK(state.open()->snapshot().plugins.at("notes").cursor == 20);
}

TEST_CASE("C14 state files that are deleted are written anew from memory") {
    StateFixture state;
    {
        const auto store = state.open();
        for (int i = 0; i < 30; ++i)
            store->apply(progress("plugin" + std::to_string(i), 100), Urgency::settled);
        Batch rows;
        checkpoint::Pending row;
        row.plugin = "plugin1";
        row.event = 90;
        row.callback = "on_new";
        row.body = "{}";
        rows.put_pending(row);
        row.event = 91;
        rows.put_pending(row);
        rows.set_highest_seen(100);
        rows.put_gap({95, 96, {}});
        store->apply(std::move(rows), Urgency::settled);
        Batch erased;
        erased.erase_pending("plugin1", 91, "on_new");
        REQUIRE(store->flush(10s));
        store->apply(std::move(erased), Urgency::settled);
        REQUIRE(store->flush(10s));

        SECTION("all of them") {
            for (const char* suffix : {"", "-wal", "-shm"}) REQUIRE(fs::remove(state.file(suffix)));
        }
        SECTION("the database alone") { REQUIRE(fs::remove(state.file())); }
        SECTION("the log alone") { REQUIRE(fs::remove(state.file("-wal"))); }
        SECTION("the directory") { fs::remove_all(state.directory); }
        SECTION("the database replaced by another file") {
            fs::copy_file(state.file(), state.file(".copy"));
            fs::rename(state.file(".copy"), state.file());
        }
        store->apply(progress("plugin2", 101), Urgency::settled);
        REQUIRE(store->flush(10s));
        CHECK(state.log.count("[STATE-GONE]") == 1);
        CHECK(read_number(state.file(), "SELECT cursor FROM plugin WHERE id='plugin2'") == 101);
        store->apply(progress("plugin3", 102), Urgency::settled);
        REQUIRE(store->flush(10s));
        CHECK(state.log.count("[STATE-GONE]") == 1);
        CHECK_FALSE(state.try_open());
    }
    const auto store = state.open();
    const auto& found = store->snapshot();
    CHECK_FALSE(found.clean);
    CHECK(found.highest_seen == 100);
    CHECK(found.plugins.size() == 30);
    CHECK(found.plugins.at("plugin0").cursor == 100);
    CHECK(found.plugins.at("plugin2").cursor == 101);
    CHECK(found.plugins.at("plugin3").cursor == 102);
    REQUIRE(found.pending.size() == 1);
    CHECK(found.pending.front().event == 90);
    CHECK(found.gaps.size() == 1);
}

TEST_CASE("C14 files that are deleted while the disk refuses are written anew when it no longer does") {
    FailingVfs vfs;
    StateFixture state;
    {
        const auto store = state.open();
        store->apply(progress("notes", 1), Urgency::settled);
        REQUIRE(store->flush(10s));
        FailingVfs::refuse_writes = true;
        for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(state.file(suffix));
        store->apply(progress("other", 2), Urgency::settled);
        CHECK_FALSE(store->flush(10s));
        FailingVfs::refuse_writes = false;
        REQUIRE(wait_for([&] { return store->unsaved() == 0; }));
        REQUIRE(store->close(10s));
    }
    const auto store = state.open();
    CHECK(store->snapshot().clean);
    CHECK(store->snapshot().plugins.at("notes").cursor == 1);
    CHECK(store->snapshot().plugins.at("other").cursor == 2);
}
